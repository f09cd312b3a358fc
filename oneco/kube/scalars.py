"""What a plain YAML scalar means to kubectl: YAML 1.1 booleans, no dates, Go's numbers."""

from __future__ import annotations

import math
import re
from typing import Final

from oneco.kube.objects import Json

_WORDS: Final[dict[str, Json]] = {
    spelled: meaning
    for meaning, words in (
        (True, ("y", "yes", "true", "on")),
        (False, ("n", "no", "false", "off")),
        (None, ("null",)),
    )
    for word in words
    for spelled in (word, word.capitalize(), word.upper())
} | {"~": None, "": None}
_FIRST: Final = frozenset("0123456789+-.")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)").fullmatch
_decimal = re.compile(r"[-+]?[0-9][0-9_]*").fullmatch
_octal = re.compile(r"([-+]?)0[oO]?([0-7][0-7_]*)").fullmatch
_radix = re.compile(r"([-+]?)0(?:[xX]([0-9A-Fa-f_]+)|[bB]([01_]+))").fullmatch
_float = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9_]+)?").fullmatch
_SMALLEST: Final = -(2**63)
_LARGEST: Final = 2**64 - 1


class NotFinite(ValueError):
    """An infinity or not-a-number, which JSON cannot say."""


def value_of(text: str) -> Json:
    """The JSON value of the plain scalar `text`; NotFinite for what JSON cannot say."""
    if text in _WORDS:
        return _WORDS[text]
    # Most scalars are words; they need no further look.
    if text[0] not in _FIRST:
        return text
    if _NOT_FINITE(text):
        raise NotFinite(text)
    number = _integer(text)
    if number is None:
        return _fraction(text)
    return number if _SMALLEST <= number <= _LARGEST else float(number)


def key_of(value: Json, text: str) -> str:
    """The text that a scalar gives as a key, where JSON allows text only."""
    if isinstance(value, str):
        return value
    if value is None:
        raise ValueError(text)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def needs_quotes(text: str) -> bool:
    """Whether `text` written plainly would be read as something else."""
    try:
        return not isinstance(value_of(text), str)
    except NotFinite:
        return True


def _integer(text: str) -> int | None:
    match = _octal(text)
    if match is not None:
        return int(match[1] + match[2].replace("_", ""), 8)
    if _decimal(text):
        return int(text.replace("_", ""))
    match = _radix(text)
    if match is None:
        return None
    digits = (match[2] or match[3]).replace("_", "")
    return int(match[1] + digits, 16 if match[2] else 2) if digits else None


def _fraction(text: str) -> Json:
    if not _float(text):
        return text
    try:
        number = float(text.replace("_", ""))
    except ValueError:
        return text
    if math.isinf(number):
        # Too large for a number: kubectl keeps the text.
        return text
    whole = number.is_integer() and abs(number) <= _LARGEST
    return int(number) if whole else number
