"""Choices that look random and repeat: each is a hash of what it is about."""

from __future__ import annotations

import hashlib

# The letters that Kubernetes uses in generated names: none of them spells a word.
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def number(*about: object) -> int:
    """A number of 64 bits that depends on `about` alone."""
    text = "\x1f".join(map(str, about))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def share(*about: object) -> float:
    """A number from 0 up to 1 that depends on `about` alone."""
    return number(*about) / 2**64


def word(length: int, *about: object) -> str:
    """A name's random part that depends on `about` alone."""
    rest, letters = number(*about), []
    for _ in range(length):
        rest, digit = divmod(rest, len(_LETTERS))
        letters.append(_LETTERS[digit])
    return "".join(letters)


def uid(*about: object) -> str:
    """A uid in the usual form that depends on `about` alone."""
    text = "\x1f".join(map(str, about))
    digits = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"
