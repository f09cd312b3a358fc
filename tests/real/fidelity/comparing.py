"""Where two tellings of one story differ, for people."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

import yaml

from tests.real.fidelity.playing import Told


def differences(rehearsed: Told, real: Told, *, is_loose: bool) -> str:
    """What differs, as a text; empty where nothing does."""
    ends = [_without_batches(one.end) if is_loose else one.end for one in (rehearsed, real)]
    found = [*_of("the end", *ends)]
    found += [f"rehearsed: {line}" for line in rehearsed.broken]
    found += [f"real: {line}" for line in real.broken]
    if not is_loose:
        found += _of("the batches", rehearsed.batches, real.batches)
        for name in sorted({*rehearsed.writes, *real.writes}):
            found += _of(name, rehearsed.writes.get(name, []), real.writes.get(name, []))
    return "\n".join(found)


def _without_batches(end: Any) -> Any:
    """The end without how many batches led there.

    Where sizes change on the way, a batch counts the pods that were heard of when it began.
    """
    units = {
        name: {key: value for key, value in unit.items() if key != "batch"}
        for name, unit in end["units"].items()
    }
    return {**end, "units": units}


def _of(what: str, rehearsed: Any, real: Any) -> Iterator[str]:
    if rehearsed != real:
        lines = difflib.unified_diff(
            _text(rehearsed), _text(real), f"rehearsed {what}", f"real {what}", lineterm="", n=4
        )
        yield "\n".join(lines)


def _text(value: Any) -> list[str]:
    plain = _plain(value)
    return yaml.safe_dump(plain, sort_keys=True, default_flow_style=False).splitlines()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
