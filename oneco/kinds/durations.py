"""Durations as people write them: `30s`, `10m`, `1h30m`, `2d`."""

from __future__ import annotations

import re

from oneco.errors import Refused

_WANTED = 'a duration such as "10m"'
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_part = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
_whole = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+")
_number = re.compile(r"[+-]?\d+(?:\.\d+)?")


def parse(text: object, where: str) -> float:
    """The seconds that `text` says; Refused names `where` if it is no duration."""
    if isinstance(text, str):
        if text == "0" or _whole.fullmatch(text):
            return sum(float(count) * _SECONDS[unit] for count, unit in _part.findall(text))
        if not _number.fullmatch(text):
            raise Refused(where, found=text, wanted=_WANTED)
    elif isinstance(text, bool) or not isinstance(text, int | float):
        raise Refused(where, found=text, wanted=_WANTED)
    raise Refused(where, found=text, wanted=f"{_WANTED}; a bare number has no unit")


def show(seconds: float) -> str:
    """`seconds` as the shortest text of whole units that `parse` reads: `1h30m`, `45s`."""
    left, text = round(seconds), ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"
