"""Typed parameters as the JSON that goes into a manifest."""

from __future__ import annotations

from typing import Any

import msgspec

from oneco.kube.objects import Json


def plain(part: object) -> Any:
    """`part` as JSON: defaults written out, what was not given left away."""
    return _given(msgspec.to_builtins(part))


def plain_or_none(part: object) -> Any:
    """`part` as JSON, None where there is none."""
    return None if part is None else plain(part)


def given(**fields: Json) -> dict[str, Json]:
    """The fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}


def _given(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _given(part) for key, part in value.items() if part is not None}
    if isinstance(value, list | tuple):
        return [_given(part) for part in value]
    return value
