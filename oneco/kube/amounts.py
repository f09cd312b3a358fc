"""Amounts of pods as Kubernetes' strategies write them: a number, or a share of the whole."""

from __future__ import annotations


def pods(amount: int | str, whole: int, *, is_up: bool) -> int:
    """How many of `whole` pods `amount` is; what nobody can read is none."""
    text = str(amount).strip()
    digits = text.removesuffix("%")
    if not digits.isdecimal():
        return 0
    if digits == text:
        return int(digits)
    # Whole numbers, because 0.07 * 100 is not 7.
    share = int(digits) * whole
    return -(-share // 100) if is_up else share // 100
