"""The part of JSONPath that columns of custom resources use."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from oneco.kube.objects import Json

Step = Callable[[Json], Iterator[Json]]
Steps = tuple[Step, ...]
"""A path that was read: each step goes from one value to those it names."""

_token = re.compile(
    r"""
    \.\.(?P<deep>[^.\[\]]+)
    | \.?\[\?\(\s*@(?P<inner>[^=!<>]*?)\s*(?P<sign>==|!=|>=|<=|<|>)\s*(?P<wanted>[^)]*?)\s*\)\]
    | \[['"](?P<quoted>[^'"]*)['"]\]
    | \[(?P<index>-?\d+)\]
    | (?P<all>\[\*\]|\.\*)
    | \.(?P<name>(?:\\.|[^.\[\]\\])+)
    """,
    re.VERBOSE,
).match
_COMPARISONS: Final[dict[str, Callable[[Json, Json], bool]]] = {
    "==": lambda one, two: bool(one == two),
    "!=": lambda one, two: bool(one != two),
    "<": lambda one, two: bool(one < two),
    ">": lambda one, two: bool(one > two),
    "<=": lambda one, two: bool(one <= two),
    ">=": lambda one, two: bool(one >= two),
}


def find(path: str, value: Json) -> list[Json]:
    """All that `path` names in `value`; ValueError if the path cannot be read."""
    return follow(compile(path), value)


def follow(steps: Steps, value: Json) -> list[Json]:
    """All that a path which was read before names in `value`."""
    found = [value]
    for step in steps:
        found = [part for one in found for part in step(one)]
    return found


@functools.lru_cache(maxsize=1024)
def compile(path: str) -> Steps:
    """The steps of `path`; ValueError if it cannot be read."""
    text = path.strip().removeprefix("{").removesuffix("}").removeprefix("$").strip()
    if text and text[0] not in ".[":
        text = f".{text}"
    steps, position = [], 0
    while position < len(text) and text != ".":
        match = _token(text, position)
        if match is None:
            raise ValueError(f"{path!r} cannot be read from {text[position:]!r}")
        steps.append(_step(match))
        position = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> Step:
    part = match.groupdict()
    if part["name"] is not None:
        return _field(re.sub(r"\\(.)", r"\1", part["name"]))
    if part["quoted"] is not None:
        return _field(part["quoted"])
    if part["index"] is not None:
        return _item(int(part["index"]))
    if part["deep"] is not None:
        return _deep(part["deep"])
    if part["all"] is not None:
        return _children
    return _filter(part["inner"], part["sign"], part["wanted"])


def _field(name: str) -> Step:
    def step(value: Json) -> Iterator[Json]:
        if isinstance(value, Mapping) and name in value:
            yield value[name]

    return step


def _item(index: int) -> Step:
    def step(value: Json) -> Iterator[Json]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return step


def _children(value: Json) -> Iterator[Json]:
    if isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _deep(name: str) -> Step:
    def step(value: Json) -> Iterator[Json]:
        if isinstance(value, Mapping) and name in value:
            yield value[name]
        for child in _children(value):
            yield from step(child)

    return step


def _filter(inner: str, sign: str, wanted: str) -> Step:
    steps, value_wanted, compare = compile(inner), _literal(wanted), _COMPARISONS[sign]

    def holds(item: Json) -> bool:
        try:
            return any(compare(one, value_wanted) for one in follow(steps, item))
        except TypeError:
            return False

    def step(value: Json) -> Iterator[Json]:
        if isinstance(value, list):
            yield from (item for item in value if holds(item))

    return step


def _literal(text: str) -> Json:
    if len(text) >= 2 and text[0] in "'\"" and text[-1] == text[0]:
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text
