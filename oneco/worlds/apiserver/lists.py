"""One page of a collection, as it was at the moment the first page was read."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

import msgspec

from oneco.kube.api import ListOptions, Match, Page
from oneco.kube.errors import BadRequest, Cause, Expired, Timeout
from oneco.kube.objects import Object
from oneco.worlds.apiserver import conversion, matching
from oneco.worlds.apiserver.core import Core
from oneco.worlds.apiserver.registry import Served
from oneco.worlds.apiserver.store import Key, Store


class _Token(msgspec.Struct):
    """Where the next page begins, and at which revision the whole list is read."""

    rv: int
    start: str
    v: str = "meta.k8s.io/v1"


def page(core: Core, served: Served, namespace: str, options: ListOptions) -> Page:
    """The objects that `options` ask for, in order of namespace and name."""
    store = core.store
    matches = matching.matcher(served, options.match)
    if options.continue_token:
        token = _decode(options.continue_token)
        revision, behind = token.rv, _place(token.start)
    else:
        revision, behind = _current(store, options.resource_version), ("", "")
    limit = options.limit
    at = store.revision() if _is_unchanged(store, served.collection, revision) else revision
    if matches is None and limit and at == store.revision():
        # Only the page itself is read: a long list would otherwise be read again for each of them.
        objects = store.scan(served.collection, namespace, after=behind, limit=limit)
        total = store.count(served.collection, namespace, after=behind)
    else:
        objects = _objects(store, (served, namespace), behind, at, options.match)
        if matches is not None:
            objects = [obj for obj in objects if matches(obj)]
        total = len(objects)
    if not limit or total <= limit:
        return Page(conversion.all_served(served, objects), str(revision))
    objects = objects[:limit]
    return Page(
        conversion.all_served(served, objects),
        str(revision),
        _encode(objects[-1], revision),
        total - limit if matches is None else None,
    )


def check_version(store: Store, text: str) -> int:
    """The revision that `text` names; an error if it is none or lies ahead."""
    try:
        revision = int(text)
    except ValueError:
        raise BadRequest(
            f'invalid resource version: resourceVersion: Invalid value: "{text}": '
            f'strconv.ParseUint: parsing "{text}": invalid syntax'
        ) from None
    if revision > store.revision():
        raise Timeout(
            f"Timeout: Too large resource version: {revision}, current: {store.revision()}",
            causes=(Cause("", "Too large resource version", "ResourceVersionTooLarge"),),
            details={"retryAfterSeconds": 1},
        )
    return revision


def too_old(revision: int, oldest: int) -> Expired:
    """The error that says what happened since `revision` is forgotten."""
    return Expired(f"too old resource version: {revision} ({oldest})")


def _is_unchanged(store: Store, collection: str, revision: int) -> bool:
    """Whether the collection is now as it was at `revision`."""
    if revision < store.oldest():
        return False
    changes = store.changes(revision, collection, include_pending=True)
    return revision == store.revision() or next(iter(changes), None) is None


def _current(store: Store, text: str) -> int:
    if text:
        check_version(store, text)
    return store.revision()


def _objects(
    store: Store, place: tuple[Served, str], behind: tuple[str, str], revision: int, match: Match
) -> Sequence[Object]:
    served, namespace = place
    collection = served.collection
    if revision != store.revision():
        return _at(store, collection, namespace, behind, revision)
    name = matching.named(match)
    if name and (namespace or not served.namespaced) and behind < (namespace, name):
        found = store.get(Key(collection, namespace, name))
        return [found] if found is not None else []
    return store.scan(collection, namespace, after=behind)


def _at(
    store: Store, collection: str, namespace: str, behind: tuple[str, str], revision: int
) -> Sequence[Object]:
    """The objects as they were at `revision`: the present ones with later changes undone."""
    if revision < store.oldest():
        raise Expired(
            "The provided continue parameter is too old to display a consistent list result. "
            "You can start a new list without the continue parameter."
        )
    present = store.scan(collection, namespace)
    found = {_place_of(obj): obj for obj in present}
    past = tuple(store.changes(revision, collection, include_pending=True))
    for change in reversed(past):
        if namespace and change.key.namespace != namespace:
            continue
        place = (change.key.namespace, change.key.name)
        if change.before is None:
            found.pop(place, None)
        else:
            found[place] = change.before
    return [found[place] for place in sorted(found) if place > behind]


def _place_of(obj: Object) -> tuple[str, str]:
    meta = obj["metadata"]
    return meta.get("namespace") or "", meta["name"]


def _place(start: str) -> tuple[str, str]:
    namespace, _, name = start.rstrip("\0").lstrip("/").rpartition("/")
    return namespace, name


def _encode(last: Object, revision: int) -> str:
    start = "/".join(part for part in _place_of(last) if part) + "\0"
    text = msgspec.json.encode(_Token(rv=revision, start=start))
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _decode(token: str) -> _Token:
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        return msgspec.json.decode(text, type=_Token)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as failure:
        raise BadRequest(
            f"invalid continue token: continue key is not valid: {failure}"
        ) from failure
