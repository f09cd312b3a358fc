"""The field paths that rules may point to: `.spec.name`, `.labels['a.b']`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from oneco.kube.rules.fields import Schema

_STEP: Final = re.compile(r"\.([^.\[\]]+)|\['((?:[^'\\]|\\.)*)'\]")


def field_path(text: str, schema: Schema) -> str:
    """`text` as paths are shown; ValueError if `schema` has no such field."""
    shown, at = "", 0
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            raise ValueError(text)
        at = step.end()
        name = step.group(1) if step.group(1) is not None else _unescaped(step.group(2))
        properties, values = schema.get("properties"), schema.get("additionalProperties")
        if properties:
            if name not in properties:
                raise ValueError(text)
            schema, shown = properties[name], f"{shown}.{name}" if shown else name
        elif isinstance(values, Mapping):
            schema, shown = values, f"{shown}[{name}]"
        else:
            raise ValueError(text)
    return shown


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
