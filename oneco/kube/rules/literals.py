"""What is wrong with what is written out in a rule that compiles: literals that mean nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from oneco.kube.rules.checked import Checked, parts
from oneco.kube.rules.costs import kind_of
from oneco.kube.rules.values import duration_nanoseconds
from oneco.kube.schema_checks import compile_pattern

_MIXED: Final = frozenset({"format"})
"""Functions whose lists hold several types."""
_ALIKE: Final = frozenset(
    {"bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration"}
)
_INSTANT: Final = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?"
    r"(Z|[-+]([01]\d|2[0-3]):[0-5]\d)"
)


def faults(checked: Checked, rule: str, skipped: int = 0) -> str:
    """What is wrong, in the API server's words; empty if nothing is.

    `skipped` is how much of the source stands before the rule.
    """
    found = sorted(
        (checked.positions.get(expr.id, 0) - skipped, words)
        for expr, words in _found(checked.expr, checked.types, False)
    )
    return "\n".join(_shown(rule, at, words) for at, words in found)


def _found(expr: Any, types: Mapping[int, Any], is_mixed: bool) -> Iterator[tuple[Any, str]]:
    if expr.HasField("call"):
        is_mixed = is_mixed or expr.call.function in _MIXED
        yield from _of_call(expr, types)
    if not is_mixed and expr.HasField("list"):
        yield from _of_elements(expr.list.elements, types)
    if not is_mixed and expr.HasField("struct") and not expr.struct.name:
        yield from _of_elements([one.map_key for one in expr.struct.entries], types)
        yield from _of_elements([one.value for one in expr.struct.entries], types)
    for part in parts(expr):
        yield from _found(part, types, is_mixed)


def _of_call(expr: Any, types: Mapping[int, Any]) -> Iterator[tuple[Any, str]]:
    call = expr.call
    check, text = _CHECKS.get(call.function), _text(call)
    if check is not None and text is not None and not check(text):
        yield call.args[-1], f"invalid {call.function} argument"
    # The library's texts can more than those of the API server.
    if call.function == "reverse" and kind_of(types.get(call.target.id)) == "string":
        yield expr, "found no matching overload for 'reverse' applied to 'string.()'"


def _text(call: Any) -> str | None:
    """The last argument of a call, if it is a text that is written out."""
    if not call.args:
        return None
    last = call.args[-1]
    is_text = last.HasField("const") and last.const.HasField("string")
    return str(last.const.string) if is_text else None


def _of_elements(elements: Any, types: Mapping[int, Any]) -> Iterator[tuple[Any, str]]:
    first = ""
    for one in elements:
        kind = _named(types.get(one.id))
        first = first or kind
        if kind and kind != first:
            yield one, f"expected type '{first}' but found '{kind}'"
            return


def _named(type_: Any) -> str:
    """How a type is written; empty where not all of it is known."""
    kind = kind_of(type_)
    if kind == "list":
        inner = _named(type_.list.element)
        return f"list({inner})" if inner else ""
    return kind if kind in _ALIKE else ""


def _shown(rule: str, at: int, words: str) -> str:
    before = rule[:at]
    line = before.count("\n")
    column = at - (before.rfind("\n") + 1)
    text = rule.split("\n")[line]
    return f"ERROR: <input>:{line + 1}:{column + 1}: {words}\n | {text}\n | {'.' * column}^"


_CHECKS: Final[Mapping[str, Callable[[str], bool]]] = {
    "duration": lambda text: duration_nanoseconds(text) is not None,
    "timestamp": lambda text: _INSTANT.fullmatch(text) is not None,
    "matches": lambda text: compile_pattern(text) is not None,
}
