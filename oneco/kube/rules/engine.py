"""The CEL library, as Kubernetes sets it up: one environment to check in, one to evaluate in."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from cel_expr_python import cel

from oneco.kube.rules import checked, costs, functions, literals
from oneco.kube.rules.fields import PACKAGE, Schema, Types
from oneco.kube.rules.functions import Fn, Maybe, Own
from oneco.kube.rules.sizes import Shape

_EXTENSIONS: Final = ("strings", "sets", "lists", "optional", "two-var-comprehensions")
_OLD: Final = "__old"
_OPTIONAL: Final = f"cel.bind(oldSelf, {_OLD} == null ? optional.none() : optional.of({_OLD}), "
_CHECKED_OPTIONAL: Final = f"cel.bind(oldSelf, optional.of({_OLD}), "
_PLACE: Final = re.compile(r"<input>:1:(\d+)")
_OUTCOME: Final = re.compile(r"^[A-Z_]+: (.*)$", re.DOTALL)


class Unsound(Exception):
    """A rule that does not compile; `words` says why, as the API server does."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class Failed(Exception):
    """A rule that came to no answer; `words` says why."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class Checker:
    """Checks rules on one place of a schema; `is_optional` makes oldSelf an optional."""

    def __init__(self, schema: Schema, *, is_optional: bool) -> None:
        types = Types()
        self_type = types.add(schema)
        types.close()
        old = _OLD if is_optional else "oldSelf"
        self._start = _CHECKED_OPTIONAL if is_optional else ""
        self._env = cel.NewEnv(
            descriptor_pool=types.pool,
            config=_config(can_bind=is_optional),
            variables={"self": self_type, old: self_type},
            extensions=[_declared()],
        )
        self._alone = cel.NewEnv(
            descriptor_pool=types.pool,
            config=_config(),
            variables={"self": self_type},
            extensions=[_declared()],
        )

    def check(self, rule: str, wanted: str, shape: Shape | None = None) -> int:
        """What `rule` costs at most; Unsound unless it compiles and comes to a `wanted`.

        That is BOOL or STRING.
        """
        source = f"{self._start}{rule})" if self._start else rule
        try:
            compiled = self._env.compile(source)
            found = compiled.return_type()
        except RuntimeError as failure:
            raise Unsound(_as_the_server_says(str(failure), rule, len(self._start))) from None
        if str(found) not in (wanted, "DYN") or (str(found) == "DYN" and wanted == "BOOL"):
            raise Unsound("")
        read = checked.read(compiled.serialize())
        wrong = literals.faults(read, rule, len(self._start))
        if wrong:
            raise Unsound(wrong)
        return costs.estimate(read, shape, is_bound=bool(self._start))

    def uses_old(self, rule: str) -> bool:
        """Whether a rule that compiles speaks of what was there before."""
        if "oldSelf" not in rule:
            return False
        try:
            self._alone.compile(rule)
        except RuntimeError:
            return True
        return False


Program = Callable[[Any, Any], Any]
"""A rule that is ready: given self and oldSelf (None if there is none), its answer or Failed."""


@functools.lru_cache(maxsize=2048)
def program(rule: str, *, is_optional: bool) -> Program:
    """`rule`, which compiles, ready to be asked."""
    source = f"{_OPTIONAL}{rule})" if is_optional else rule
    compiled = _ready(source)
    old = _OLD if is_optional else "oldSelf"

    def ask(value: Any, before: Any) -> Any:
        try:
            outcome = compiled.eval(data={"self": value, old: before})
        except RuntimeError as failure:
            raise Failed(_failure(str(failure))) from None
        if str(outcome.type()) == "ERROR":
            raise Failed(_failure(str(outcome.value())))
        return outcome.value()

    return ask


def _ready(source: str) -> Any:
    """The compiled source, with what the library alone cannot say put around some calls."""
    env = _evaluating()
    compiled = env.compile(source)
    if not any(word in source for word in _REWRITTEN):
        return compiled
    return env.deserialize(checked.rewritten(compiled.serialize(), _FOLLOWED, _RENAMED))


_FOLLOWED: Final[Mapping[str, str]] = {
    "string": "@text",
    "validate": "optional.ofNonZeroValue",
    "format.named": "optional.ofNonZeroValue",
}
"""The functions that follow on others when a rule is evaluated."""
_RENAMED: Final[Mapping[str, str]] = {"cel.@mapInsert": "@insert"}
"""Functions that the library knows and cannot run, and those that stand in for them."""
_REWRITTEN: Final = ("string(", "validate(", "format.named(", "transformMap")


@functools.cache
def _config(*, can_bind: bool = False) -> Any:
    """The library's own extensions; `cel.bind` is no part of the API and serves us alone."""
    extensions = (*_EXTENSIONS, "bindings") if can_bind else _EXTENSIONS
    names = "".join(f"- name: {name}\n" for name in extensions)
    return cel.NewEnvConfigFromYaml(f"extensions:\n{names}")


@functools.cache
def _declared() -> Any:
    declared = [*functions.everything(), *functions.conversions()]
    return _extension("kubernetes", declared, _checked_type)


@functools.cache
def _evaluating() -> Any:
    dynamic = cel.Type.DYN
    own = [
        Fn("@text", (dynamic,), dynamic, functions.text, is_member=False),
        Fn("@insert", (dynamic,) * 2, dynamic, functions.insert_all, is_member=False),
        Fn("@insert", (dynamic,) * 3, dynamic, functions.insert, is_member=False),
    ]
    return cel.NewEnv(
        config=_config(can_bind=True),
        variables={"self": dynamic, "oldSelf": dynamic, _OLD: dynamic},
        extensions=[_extension("kubernetes", [*_merged(functions.everything()), *own], _run_type)],
    )


def _extension(name: str, fns: Sequence[Fn], type_of: Callable[[Any], Any]) -> Any:
    declared: dict[str, list[Any]] = {}
    for number, fn in enumerate(fns):
        overload = cel.Overload(
            id=f"kubernetes_{fn.name}_{number}",
            return_type=type_of(fn.gives),
            parameters=[type_of(one) for one in fn.takes],
            is_member=fn.is_member,
            impl=fn.run,
        )
        declared.setdefault(fn.name, []).append(overload)
    made = [cel.FunctionDecl(name, overloads) for name, overloads in declared.items()]
    return cel.CelExtension(name, made)


def _checked_type(kind: Any) -> Any:
    if isinstance(kind, Maybe):
        return cel.Type.AbstractType("optional_type", [_checked_type(kind.of)])
    return cel.Type(kind.name) if isinstance(kind, Own) else kind


def _run_type(kind: Any) -> Any:
    return cel.Type.DYN if isinstance(kind, (Own, Maybe)) else kind


def _merged(fns: Sequence[Fn]) -> list[Fn]:
    """One overload where only types of Kubernetes' own tell several apart."""
    groups: dict[tuple[Any, ...], list[Fn]] = {}
    for fn in fns:
        is_own = _is_own(fn)
        takes = (cel.Type.DYN,) * len(fn.takes) if is_own else fn.takes
        shape = (fn.name, fn.is_member, tuple(map(str, takes)))
        groups.setdefault(shape, []).append(fn)
    return [_one_of(group) for group in groups.values()]


def _is_own(fn: Fn) -> bool:
    return bool(fn.takes) and isinstance(fn.takes[0], Own)


def _one_of(group: Sequence[Fn]) -> Fn:
    first = group[0]
    if not _is_own(first):
        return first
    by_mark = {fn.takes[0].mark: fn.run for fn in group}

    def run(*values: Any) -> Any:
        chosen = by_mark.get(functions.mark_of(values[0]))
        if chosen is None:
            raise ValueError("no such overload")
        return chosen(*values)

    return first._replace(takes=(cel.Type.DYN,) * len(first.takes), run=run)


def _place(fault: str) -> tuple[int, ...]:
    found = re.search(r"<input>:(\d+):(\d+)", fault)
    return tuple(map(int, found.groups())) if found else ()


_FAULT: Final = re.compile(r"\n(?=ERROR: )")
_SELECTED: Final = re.compile(
    r"expression of type '(.*?)' cannot be the operand of a select operation"
)
_APPLIED: Final = re.compile(
    r"<input>:1:(\d+): found no matching overload for '(\w+)' "
    r"applied to '\(([^,()']*)(?:, )?(.*)\)'"
)


def _applied(found: re.Match[str], rule: str, shift: int) -> str:
    """What is called on something, the server writes behind that thing's type."""
    column, name, receiver, rest = found.groups()
    if not rule[: int(column) - 1 - shift].endswith(f".{name}"):
        return found.group()
    start = found.group().partition(" applied to ")[0]
    return f"{start} applied to '{receiver}.({rest})'"


_FAILURES: Final[Mapping[str, str]] = {
    r'Key not found in map : "(.*)"': r"no such key: \1",
    r"Index error: index=(-?\d+) size=\d+": r"index out of bounds: \1",
    r"divide by zero": "division by zero",
    r"modulus by zero": "modulus by zero",
    r"No matching overloads found.*": "no such overload",
    r"cannot convert string to (\w+)": r"type conversion error from 'string' to '\1'",
    r"Iteration budget exceeded": "operation cancelled: actual cost limit exceeded",
}


def _failure(text: str) -> str:
    found = _OUTCOME.match(text)
    words = (found.group(1) if found else text).partition(" [")[0]
    for pattern, said in _FAILURES.items():
        words = re.sub(f"^{pattern}$", said, words, flags=re.DOTALL)
    return words


def _as_the_server_says(text: str, rule: str, shift: int) -> str:
    """The library's words for what does not compile in those of the server's own library."""
    words = text.partition(": ")[2].rpartition(" [")[0]
    words = re.sub(rf" not found in struct '{PACKAGE}\.\w+'", "", words)
    words = re.sub(rf"{PACKAGE}\.T\d+", "object", words)
    words = words.replace("google.protobuf.Timestamp", "timestamp")
    words = words.replace("google.protobuf.Duration", "duration")
    words = _SELECTED.sub(r"type '\1' does not support field selection", words)
    words = _APPLIED.sub(lambda found: _applied(found, rule, shift), words)
    words = "\n".join(sorted(_FAULT.split(words), key=_place))
    if not shift:
        return words
    lines = []
    for line in words.split("\n"):
        line = _PLACE.sub(lambda found: f"<input>:1:{int(found.group(1)) - shift}", line)
        if line.startswith(f" | {_CHECKED_OPTIONAL}"):
            line = f" | {rule}"
        elif re.fullmatch(r" \| \.*\^", line):
            line = f" | {line[3 + shift :]}"
        lines.append(line)
    return "\n".join(lines)
