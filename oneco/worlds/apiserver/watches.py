"""Who wants to hear of which changes, told once they are durable."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from oneco.kube.api import INITIAL_EVENTS_END, Event, WatchOptions
from oneco.kube.errors import InternalError
from oneco.kube.objects import Object
from oneco.worlds.apiserver import conversion, lists, matching
from oneco.worlds.apiserver.core import Core
from oneco.worlds.apiserver.registry import Served
from oneco.worlds.apiserver.store import Change

Sink = Callable[[Event], None]


class Subscription:
    """One watch; `close` ends it, from within its own sink too."""

    __slots__ = ("_matches", "_namespace", "_served", "_since", "_sink", "_watches", "is_open")

    def __init__(
        self,
        watches: Watches,
        served: Served,
        namespace: str,
        matches: matching.Matcher | None,
        sink: Sink,
    ) -> None:
        self._watches, self._served, self._namespace = watches, served, namespace
        self._matches, self._sink = matches, sink
        self._since = 0
        self.is_open = True

    def close(self) -> None:
        """Send nothing more."""
        if self.is_open:
            self.is_open = False
            self._watches.drop(self._served.collection, self._namespace, self)

    def bookmark(self, annotations: Object | None = None) -> None:
        """Send a BOOKMARK that says up to which version everything was sent."""
        meta: dict[str, object] = {"resourceVersion": str(self._watches.delivered())}
        if annotations:
            meta["annotations"] = annotations
        kind = self._served.kind
        bookmark = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": meta}
        self._sink(Event("BOOKMARK", bookmark))

    def begin(self, objects: Iterable[Object], since: int) -> None:
        """Send `objects` as ADDED; changes up to revision `since` are known by that."""
        self._since = since
        for obj in objects:
            if self._matches is None or self._matches(obj):
                self._send("ADDED", obj)

    def resume(self, changes: Iterable[Change], since: int) -> None:
        """Send past changes; those up to revision `since` are known by that."""
        for change in changes:
            if not self._namespace or change.key.namespace == self._namespace:
                self._offer(change, event_of(change))
        self._since = since

    def offer(self, change: Change, event: Event) -> None:
        """Send the change if it is news to this watch."""
        if change.revision > self._since and self.is_open:
            self._offer(change, event)

    def _offer(self, change: Change, event: Event) -> None:
        matches = self._matches
        if matches is None:
            if self._served.is_stored_version:
                self._sink(event)
            else:
                self._send(event.type, event.object)
            return
        # A change into or out of the selection is an arrival or a departure for this watch.
        before = change.before is not None and matches(change.before)
        after = change.after is not None and matches(change.after)
        if after:
            self._send("MODIFIED" if before else "ADDED", event.object)
        elif before:
            assert change.before is not None
            self._send("DELETED", last_state(change.before, change.revision))

    def _send(self, kind: str, obj: Object) -> None:
        self._sink(Event(kind, conversion.to_served(self._served, obj)))  # type: ignore[arg-type]


class Watches:
    """All watches of one server, found by collection and namespace."""

    __slots__ = ("_core", "_delivered", "_subscriptions")

    def __init__(self, core: Core) -> None:
        self._core = core
        self._subscriptions: dict[str, dict[str, tuple[Subscription, ...]]] = {}
        self._delivered = 0
        core.store.on_durable(self._deliver)

    def open(
        self, served: Served, namespace: str, options: WatchOptions, sink: Sink
    ) -> Subscription:
        """Begin a watch; what happened since `options.from_version` is sent before this returns."""
        store = self._core.store
        matches = matching.matcher(served, options.match)
        subscription = Subscription(self, served, namespace, matches, sink)
        version = options.from_version
        if version in ("", "0"):
            self._enter(served.collection, namespace, subscription)
            subscription.begin(store.scan(served.collection, namespace), store.revision())
            _end_beginning(subscription, options)
            return subscription
        if not version.isdecimal():
            raise InternalError(
                f'resourceVersion: Invalid value: "{version}": strconv.ParseUint: parsing '
                f'"{version}": invalid syntax'
            )
        since = lists.check_version(store, version)
        if since < store.oldest():
            raise lists.too_old(since, store.oldest())
        if options.initial_events:
            subscription.begin(store.scan(served.collection, namespace), store.revision())
            _end_beginning(subscription, options)
        else:
            durable = max(since, store.durable_revision())
            subscription.resume(store.changes(since, served.collection), durable)
        if subscription.is_open:
            self._enter(served.collection, namespace, subscription)
        return subscription

    def delivered(self) -> int:
        """The revision up to which every watch has seen what concerns it."""
        return max(self._delivered, self._core.store.durable_revision())

    def count(self) -> int:
        """How many watches are open."""
        spaces = self._subscriptions.values()
        return sum(len(found) for space in spaces for found in space.values())

    def drop(self, collection: str, namespace: str, subscription: Subscription) -> None:
        """Forget a watch."""
        spaces = self._subscriptions.get(collection, {})
        left = tuple(one for one in spaces.get(namespace, ()) if one is not subscription)
        if left:
            spaces[namespace] = left
        else:
            spaces.pop(namespace, None)
            if not spaces:
                self._subscriptions.pop(collection, None)

    def _enter(self, collection: str, namespace: str, subscription: Subscription) -> None:
        spaces = self._subscriptions.setdefault(collection, {})
        # Replaced, never changed: a delivery under way keeps the tuple it began with.
        spaces[namespace] = (*spaces.get(namespace, ()), subscription)

    def _deliver(self, change: Change) -> None:
        self._delivered = change.revision
        collection, namespace, _ = change.key
        spaces = self._subscriptions.get(collection)
        if spaces is None:
            return
        event = event_of(change)
        if namespace:
            for subscription in spaces.get(namespace, ()):
                subscription.offer(change, event)
        for subscription in spaces.get(_EVERYWHERE, ()):
            subscription.offer(change, event)


def _end_beginning(subscription: Subscription, options: WatchOptions) -> None:
    # Whoever takes bookmarks is told where what was there ends, asked for or not.
    if options.bookmarks:
        subscription.bookmark({INITIAL_EVENTS_END: "true"})


def event_of(change: Change) -> Event:
    """The change as a watch without a selector sees it."""
    if change.after is None:
        assert change.before is not None, f"revision {change.revision} changed nothing"
        return Event("DELETED", last_state(change.before, change.revision))
    return Event("ADDED" if change.before is None else "MODIFIED", change.after)


def last_state(before: Object, revision: int) -> Object:
    """`before` as a DELETED event carries it: with the version of its removal."""
    return {**before, "metadata": {**before["metadata"], "resourceVersion": str(revision)}}


_EVERYWHERE: Final = ""
