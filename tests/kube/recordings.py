"""Reads what a real API server answered."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from oneco.kube.errors import Cause

_HERE = Path(__file__).parent / "recorded"


def recording(name: str) -> dict[str, Any]:
    """One file of `recorded/`."""
    return json.loads((_HERE / f"{name}.json").read_text())


def cases(name: str) -> list[dict[str, Any]]:
    """The cases of one file of `recorded/`."""
    return recording(name)["cases"]


def as_rows(causes: Iterable[Cause]) -> list[list[str]]:
    """Causes in the form and order in which recordings are compared."""
    return sorted([cause.field, cause.message.partition("\n")[0], cause.reason] for cause in causes)
