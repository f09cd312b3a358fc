"""Which options of a list and of a watch go together, in the words of a Kubernetes API server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from oneco.kube import causes
from oneco.kube.errors import Cause
from oneco.kube.refs import Kind

_OPTIONS: Final = Kind("meta.k8s.io", "v1", "ListOptions")
_MATCH, _INITIAL = "resourceVersionMatch", "sendInitialEvents"
_EXACT, _NOT_OLDER = "Exact", "NotOlderThan"


class Query(Protocol):
    """What stands behind the question mark."""

    def text(self, name: str) -> str:
        """The value of `name`, empty without one."""
        ...


def check(query: Query, *, is_watch: bool) -> None:
    """Raise Invalid, with everything that is wrong, where the options do not go together."""
    found = tuple(_of_watch(query) if is_watch else _of_list(query))
    if found:
        raise causes.refusal(_OPTIONS, "", found)


def _of_list(query: Query) -> Iterator[Cause]:
    match, version = query.text("resourceVersionMatch"), query.text("resourceVersion")
    if match:
        if not version:
            yield _forbidden("is forbidden unless resourceVersion is provided")
        if query.text("continue"):
            yield _forbidden("is forbidden when continue is provided")
        if match not in (_EXACT, _NOT_OLDER):
            yield causes.unsupported(_MATCH, match, (_EXACT, _NOT_OLDER, ""))
        if match == _EXACT and version == "0":
            yield _forbidden('"exact" is forbidden for resourceVersion "0"')
    if query.text("sendInitialEvents"):
        yield causes.forbidden(_INITIAL, f"{_INITIAL} is forbidden for list")


def _of_watch(query: Query) -> Iterator[Cause]:
    match, initial = query.text("resourceVersionMatch"), query.text("sendInitialEvents")
    if initial and match != _NOT_OLDER:
        wanted = f"{_INITIAL} requires setting {_MATCH} to {_NOT_OLDER}"
        yield causes.forbidden(_MATCH, wanted)
    if not match:
        return
    if not initial:
        yield _forbidden(f"is forbidden for watch unless {_INITIAL} is provided")
    if match != _NOT_OLDER:
        yield causes.unsupported(_MATCH, match, (_NOT_OLDER,))
    if query.text("continue"):
        yield _forbidden("is forbidden when continue is provided")


def _forbidden(message: str) -> Cause:
    return causes.forbidden(_MATCH, f"{_MATCH} {message}")
