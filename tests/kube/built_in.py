"""The types of built-in kinds, for tests that know which they want."""

from __future__ import annotations

from typing import Any

from oneco.kube import types
from oneco.kube.refs import Kind


def type_of(api_version: str, kind: str) -> Any:
    """The type of a built-in kind."""
    group, _, version = api_version.rpartition("/")
    found = types.of(Kind(group, version, kind))
    assert found is not None
    return found
