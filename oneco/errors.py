"""The families of failure: the person must change something, or the world must.

The third family, `assert`, is for us. "Not yet" is a Decision, never an exception.
"""

from __future__ import annotations


class OnecoError(Exception):
    """A failure that is answered with one clear sentence and never with a traceback."""


class Refused(OnecoError):
    """The person must change something: where it is, what was found, what would be accepted."""

    def __init__(self, where: str, *, found: object = None, wanted: str = "") -> None:
        self.where, self.found, self.wanted = where, found, wanted
        super().__init__(_sentence(where, found, wanted))


class Unavailable(OnecoError):
    """The world must change; `retry_after_seconds` is the world's own advice, if it gave any."""

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


def _sentence(where: str, found: object, wanted: str) -> str:
    parts = [where]
    if found is not None:
        parts.append(f"found {_shown(found)}")
    if wanted:
        parts.append(f"wanted {wanted}")
    return parts[0] if len(parts) == 1 else f"{parts[0]}: {', '.join(parts[1:])}"


def _shown(found: object) -> str:
    text = found if isinstance(found, str) else repr(found)
    # A whole document in an error hides the error.
    return f'"{text}"' if len(text) <= 120 else f'"{text[:117]}..."'
