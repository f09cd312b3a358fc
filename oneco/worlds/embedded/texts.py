"""What fields of built-in kinds are for, unpacked when somebody first asks for a description."""

from __future__ import annotations

import base64
import functools
import json
import lzma
from collections.abc import Mapping
from typing import Any

from oneco.generated import descriptions


def of(type_name: str, field: str = "") -> tuple[str, str]:
    """The text of a type or its field, and the schema that the field refers to; empty without."""
    found = _texts().get(type_name, {}).get(field, "")
    return (found, "") if isinstance(found, str) else (found[0], found[1])


@functools.cache
def schemas() -> Mapping[str, Any]:
    """The schemas of types that have a name and no structure."""
    found: Mapping[str, Any] = _unpacked(descriptions.SCHEMAS)
    return found


@functools.cache
def _texts() -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = _unpacked(descriptions.TEXTS)
    return found


def _unpacked(packed: bytes) -> Any:
    return json.loads(lzma.decompress(base64.b85decode(packed)))
