"""The text form of label selectors, with Kubernetes' own words for what is wrong in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from oneco.kube import names
from oneco.kube.errors import BadRequest
from oneco.kube.selector_values import Requirement

_END: Final = ""
_token = re.compile(r"\s*(==|!=|[=!<>(),]|[^\s=!<>(),]+)").match
_MARKS: Final = frozenset({"==", "!=", "=", "!", "<", ">", "(", ")", ",", _END})
_COMPARISONS: Final = {"in": "in", "notin": "notin", "=": "=", "==": "==", "!=": "!="} | {
    ">": "gt",
    "<": "lt",
}


def parse_requirements(text: str) -> tuple[Requirement, ...]:
    """The requirements that `text` lists, sorted by key; BadRequest where it cannot be read."""
    reader = _Reader(_tokens(text))
    requirements = []
    while reader.next != _END:
        requirements.append(_requirement(reader))
        if reader.next == _END:
            break
        if reader.next != ",":
            raise BadRequest(f"found '{reader.next}', expected: ',' or 'end of string'")
        reader.take()
        if reader.next in _MARKS - {"!"}:
            raise BadRequest(f"found '{reader.next}', expected: identifier after ','")
    return tuple(sorted(requirements, key=lambda one: one.key))


class _Reader:
    """The tokens not read yet."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens, self._position = tokens, 0

    @property
    def next(self) -> str:
        """The next token, empty at the end."""
        at = self._position
        return self._tokens[at] if at < len(self._tokens) else _END

    def take(self) -> str:
        """The next token, which counts as read from now on."""
        token = self.next
        self._position += 1
        return token


def _tokens(text: str) -> Sequence[str]:
    tokens, position = [], 0
    end = len(text.rstrip())
    while position < end:
        match = _token(text, position)
        assert match is not None, f"no token at {position} of {text!r}"
        tokens.append(match[1])
        position = match.end()
    return tokens


def _requirement(reader: _Reader) -> Requirement:
    if reader.next in _MARKS - {"!"}:
        raise BadRequest(f"found '{reader.next}', expected: !, identifier, or 'end of string'")
    negated = reader.next == "!"
    if negated:
        reader.take()
    key = reader.take()
    if key in _MARKS:
        raise _unreadable(f"found '{key}', expected: identifier")
    if negated or reader.next in (_END, ","):
        return _checked(Requirement(key, "!" if negated else "exists"), ())
    operator = reader.take()
    if operator not in _COMPARISONS:
        raise _unreadable(f"found '{operator}', expected: in, notin, =, ==, !=, gt, lt")
    values = _many(reader) if operator in ("in", "notin") else (_one(reader),)
    return _checked(Requirement(key, _COMPARISONS[operator], frozenset(values)), values)


def _one(reader: _Reader) -> str:
    """An exact value, which may be empty."""
    if reader.next in (_END, ","):
        return ""
    value = reader.take()
    if value in _MARKS:
        raise _unreadable(f"found '{value}', expected: identifier")
    return value


def _many(reader: _Reader) -> Sequence[str]:
    opening = reader.take()
    if opening != "(":
        raise _unreadable(f"found '{opening}' expected: '('")
    values: list[str] = []
    if reader.next not in _MARKS:
        values.append(reader.take())
    elif reader.next not in (",", ")"):
        raise _unreadable(f"found '{reader.next}', expected: ',', ')' or identifier")
    else:
        values.append("")
    while reader.next == ",":
        reader.take()
        if reader.next in _MARKS - {",", ")"}:
            raise _unreadable(f"found '{reader.next}', expected: ',', or identifier")
        values.append("" if reader.next in (",", ")") else reader.take())
    if reader.next != ")":
        raise _unreadable(f"found '{reader.next}', expected: ',' or ')'")
    reader.take()
    return values


def _checked(requirement: Requirement, values: Sequence[str]) -> Requirement:
    faults = names.key_faults(requirement.key)
    if faults:
        raise _unreadable(f'<nil>: Invalid value: "{requirement.key}": {faults[0]}')
    if requirement.operator in ("gt", "lt") and not re.fullmatch(r"[-+]?\d+", values[0]):
        words = "for 'Gt', 'Lt' operators, the value must be an integer"
        raise _unreadable(f'values[0]: Invalid value: "{values[0]}": {words}')
    for index, value in enumerate(values):
        for fault in names.value_faults(value):
            where = f"values[{index}][{requirement.key}]"
            raise _unreadable(f'{where}: Invalid value: "{value}": {fault}')
    return requirement


def _unreadable(words: str) -> BadRequest:
    return BadRequest(f"unable to parse requirement: {words}")
