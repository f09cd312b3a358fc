"""Instants as objects carry them, parsed once for the thousands of objects that carry them."""

from __future__ import annotations

import functools

from oneco.clock import Instant
from oneco.kube.times import from_text


@functools.lru_cache(maxsize=4096)
def parsed(text: str) -> Instant:
    """The instant that `text` names."""
    return from_text(text)
