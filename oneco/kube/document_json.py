"""JSON files: the same checks as for YAML, with JSON's own escapes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

import yaml

from oneco.errors import Refused
from oneco.kube import document_nodes, secrecy
from oneco.kube.objects import Json

_SMALLEST: Final = -(2**63)
_LARGEST: Final = 2**64 - 1


def values(text: str, source: str) -> Sequence[Json] | None:
    """The JSON values that follow one another in `text`; None where it is not JSON."""
    found, position = [], 0
    end = len(text.rstrip())
    try:
        while position < end:
            position += len(text[position:]) - len(text[position:].lstrip())
            value, position = _decoder.raw_decode(text, position)
            found.append(value)
    except (_Repeated, RecursionError):
        # The reader of nodes says the same with both lines.
        return None
    except ValueError as error:
        if source.endswith(".json") and isinstance(error, json.JSONDecodeError):
            raise _syntax(error, text, source) from None
        return None
    return found


def with_nodes(found: Sequence[Json], text: str, source: str) -> Iterator[tuple[Json, yaml.Node]]:
    """Each value with a node that knows its lines, as far as they can be told."""
    try:
        nodes = list(document_nodes.compose(text, source))
    except Refused as error:
        if "deeper nesting" in str(error):
            raise
        nodes = []
    if len(nodes) != len(found):
        # Several values without marks between them, or escapes that only JSON knows.
        mark = yaml.Mark(source, 0, 0, 0, None, 0)
        nodes = [yaml.ScalarNode("", "", mark, mark) for _ in found]
    yield from zip(found, nodes, strict=True)


class _Repeated(Exception):
    """A key stands twice in one object."""


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Repeated
    return made


def _integer(text: str) -> int | float:
    number = int(text)
    return number if _SMALLEST <= number <= _LARGEST else float(number)


def _constant(text: str) -> Json:
    raise ValueError(f"{text} is not JSON")


def _syntax(error: json.JSONDecodeError, text: str, source: str) -> Refused:
    lines = text.splitlines()
    excerpt = lines[error.lineno - 1].strip() if error.lineno <= len(lines) else ""
    where = f"{source}:{error.lineno}:{error.colno}"
    return Refused(where, found=secrecy.excerpt(excerpt, text), wanted=f"JSON ({error.msg})")


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_constant=_constant)
