"""Kubernetes quantities: `"100m"`, `"1Gi"`, `"2e3"`, `5` as exact numbers and as text."""

from __future__ import annotations

import functools
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

_PATTERN = re.compile(
    r"([+-]?)(\d+\.?\d*|\.\d+)(?:(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E)|[eE]([+-]?\d{1,3}))?"
)
_BINARY = {name: 1024**power for power, name in enumerate(("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))}
_DECIMAL = {
    "n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "": Fraction(1),
    "k": Fraction(10**3), "M": Fraction(10**6), "G": Fraction(10**9), "T": Fraction(10**12),
    "P": Fraction(10**15), "E": Fraction(10**18),
}  # fmt: skip
_LARGEST = 2**63 - 1
_NANO = 10**9


@functools.lru_cache(maxsize=4096)
def parse(quantity: str | int | float) -> Fraction:
    """The exact number that `quantity` means; ValueError where it means none.

    As in Kubernetes, a fraction finer than a billionth is rounded away from zero, and what is
    too large becomes the largest 64 bit number.
    """
    sign, digits, suffix, exponent = _parts(quantity)
    scale = _BINARY.get(suffix) or _DECIMAL[suffix]
    number = Fraction(digits) * scale * Fraction(10) ** int(exponent or 0)
    nanos = -(-number.numerator * _NANO // number.denominator)
    number = min(Fraction(nanos, _NANO), Fraction(_LARGEST))
    return -number if sign == "-" else number


@functools.lru_cache(maxsize=4096)
def canonical(quantity: str | int | float) -> str:
    """`quantity` as an API server writes it: no fraction, the largest suffix that allows that."""
    _, _, suffix, exponent = _parts(quantity)
    number = parse(quantity)
    if number == 0:
        return "0"
    # Below 1024 a binary suffix would say nothing, and it cannot say a fraction.
    if suffix.endswith("i") and abs(number) >= 1024 and number.denominator == 1:
        return _with_suffix(number, _BINARY)
    return _with_exponent(number) if exponent else _with_suffix(number, _DECIMAL)


def compare(left: str | int | float, right: str | int | float) -> int:
    """-1, 0 or 1 as `left` is less than, equal to or more than `right`."""
    difference = parse(left) - parse(right)
    return (difference > 0) - (difference < 0)


def equal(left: Any, right: Any) -> bool:
    """Whether two values mean the same quantity; values that are none are equal if the same."""
    if left == right:
        return True
    try:
        return parse(left) == parse(right)
    except (ValueError, TypeError):
        return False


def total(quantities: list[str]) -> str:
    """The canonical sum of `quantities`, in the format of the first."""
    if not quantities:
        return "0"
    _, _, suffix, _ = _parts(quantities[0])
    number = sum((parse(one) for one in quantities), Fraction(0))
    whole = number.denominator == 1 and abs(number) >= 1024
    return _with_suffix(number, _BINARY if suffix.endswith("i") and whole else _DECIMAL)


def _parts(quantity: str | int | float) -> tuple[str, str, str, str]:
    text = quantity if isinstance(quantity, str) else _plain(quantity)
    found = _PATTERN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a quantity")
    sign, digits, suffix, exponent = found.groups()
    return sign, digits, suffix or "", exponent or ""


def _plain(number: int | float) -> str:
    if isinstance(number, bool):
        raise ValueError(f"{number!r} is not a quantity")
    return f"{Decimal(str(number)):f}"


def _with_suffix(number: Fraction, scales: dict[str, int] | dict[str, Fraction]) -> str:
    if number == 0:
        return "0"
    chosen = min(scales, key=lambda name: scales[name])
    for name, scale in scales.items():
        if (number / scale).denominator == 1 and scale >= scales[chosen]:
            chosen = name
    return f"{number / scales[chosen]}{chosen}"


def _with_exponent(number: Fraction) -> str:
    exponent = -9
    while (number / Fraction(10) ** (exponent + 3)).denominator == 1:
        exponent += 3
    mantissa = number / Fraction(10) ** exponent
    return f"{mantissa}e{exponent}" if exponent else str(mantissa)
