"""The whole API semantics as one synchronous object over a store.

Public requests go through `ApiServer`'s methods, which take the addresses and options of
`kube.api.Api`, answer at once and raise only `kube.errors`. Behaviours of the same process read
and write through `ApiServer.inside`. Everything is deterministic: uids, generated names, addresses
and ports follow from the seed, the revision and the names; time comes from the clock alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from oneco.clock import Clock
from oneco.kube import causes
from oneco.kube.api import (
    DeleteOptions,
    ListOptions,
    Match,
    Page,
    Patch,
    WatchOptions,
    WriteOptions,
)
from oneco.kube.errors import InternalError, MethodNotAllowed
from oneco.kube.objects import Object
from oneco.kube.refs import Address, ResourceInfo
from oneco.worlds.apiserver import (
    birth,
    bodies,
    conversion,
    customs,
    evictions,
    lists,
    matching,
    patches,
    reviews,
    services,
    shapes,
    subresources,
)
from oneco.worlds.apiserver.admission import Admission, Completion, Gate
from oneco.worlds.apiserver.core import IN_PROCESS, Caller, Core
from oneco.worlds.apiserver.emptying import Definitions, Namespaces
from oneco.worlds.apiserver.garbage import Garbage
from oneco.worlds.apiserver.inside import Inside
from oneco.worlds.apiserver.ownership import Ownership
from oneco.worlds.apiserver.registry import Served, no_such_resource
from oneco.worlds.apiserver.removal import NAMESPACES, Removal
from oneco.worlds.apiserver.rights import EVERYTHING, Rights
from oneco.worlds.apiserver.store import Change, Key, Store
from oneco.worlds.apiserver.watches import Sink, Subscription, Watches
from oneco.worlds.apiserver.writes import Request, Writes


class ApiServer:
    """One cluster's API server.

    `admission` validates kinds beyond their schema, `completions` complete them; `rights` knows
    who may do what. With `lazy_managers` the managedFields of ordinary updates are computed
    when `get` is asked for them or at the next apply: for stores that die with the process only.
    """

    __slots__ = (
        "_definitions", "_garbage", "_gate", "_namespaces", "_ownership", "_patches",
        "_removal", "_rights", "_watches", "_writes", "core", "inside", "store",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 - the places where a program plugs itself in, all by name
        self,
        store: Store,
        clock: Clock,
        *,
        admission: Sequence[Admission] = (),
        completions: Sequence[Completion] = (),
        seed: int = 0,
        rights: Rights = EVERYTHING,
        lazy_managers: bool = True,
    ) -> None:
        self.store = store
        self.core = core = Core(store, clock, seed)
        self._rights = rights
        self._gate = Gate(admission, completions)
        self._ownership = Ownership(is_lazy=lazy_managers)
        # Removal and garbage need each other: what goes takes its dependents along.
        self._removal = removal = Removal(core, lambda uid: self._garbage.orphan(uid))
        self._garbage = Garbage(core, removal.collect, removal.put)
        self._namespaces = Namespaces(core, removal)
        self._definitions = Definitions(core, removal)
        self._writes = Writes(
            core,
            gate=self._gate,
            guard=rights.guard,
            garbage=self._garbage,
            namespaces=self._namespaces,
            ownership=self._ownership,
            removal=removal,
        )
        self._patches = patches.Patches(core, self._writes, self._ownership)
        self.inside = Inside(core, removal)
        self._load()
        # First in line: whoever listens after this finds owners, names and kinds up to date.
        store.on_commit(self._follow)
        self._watches = Watches(core)
        birth.populate(core, self.inside)

    def get(self, address: Address, *, managers: bool = False) -> Object:
        """The object at `address`, or what its subresource shows.

        `managers` asks for managedFields that include every write so far.
        """
        served, key = self._place(address, "get")
        obj = self._existing(served, key)
        if managers and not address.subresource:
            kind = shapes.stored_type(served)
            obj = self._ownership.resolved(key, obj, kind, has_status=served.has_status)
        obj = conversion.to_served(served, obj)
        if address.subresource:
            return subresources.shown(served, address.subresource, obj)
        return obj

    def list(self, address: Address, options: ListOptions = ListOptions()) -> Page:
        """One page of the collection, ordered by namespace and name."""
        return lists.page(self.core, self._collection(address, "list"), address.namespace, options)

    def watch(self, address: Address, options: WatchOptions, sink: Sink) -> Subscription:
        """Call `sink` with each event from then on, until the subscription's `close`.

        What happened since `from_version` (or the present objects as ADDED) is sent before this
        returns; Expired is raised if that is forgotten. Events come when they are durable, in
        order; who takes bookmarks is sent one that ends the present objects. No other bookmark
        comes by itself: `Subscription.bookmark()` sends one. Timeouts are the caller's.
        """
        served = self._collection(address, "watch")
        if address.name:
            named = f"metadata.name={address.name}"
            match = options.match
            fields = f"{match.fields},{named}" if match.fields else named
            options = WatchOptions(
                match=Match(labels=match.labels, fields=fields),
                from_version=options.from_version,
                bookmarks=options.bookmarks,
                initial_events=options.initial_events,
            )
        return self._watches.open(served, address.namespace, options, sink)

    def create(
        self,
        address: Address,
        body: Object,
        options: WriteOptions = WriteOptions(),
        caller: Caller = IN_PROCESS,
    ) -> Object:
        """Store a new object in the collection, or write to a subresource such as `binding`."""
        if address.subresource:
            return self._create_at(address, body, options, caller)
        served, key = self._place(address._replace(name=""), "create")
        body = bodies.fitting(served, key, body)
        answered = reviews.answer(served.resource.plural, key.namespace, body, caller, self._rights)
        if answered is not None:
            return answered
        if body["metadata"].get("resourceVersion"):
            raise InternalError("resourceVersion should not be set on objects to be created")
        body = shapes.decoded(served, body, options.field_validation, caller)
        key = key._replace(name=body["metadata"].get("name") or "")
        return self._writes.create(Request(served, key, options, caller), body)

    def replace(
        self,
        address: Address,
        body: Object,
        options: WriteOptions = WriteOptions(),
        caller: Caller = IN_PROCESS,
    ) -> Object:
        """Put `body` in place of what is there; its resourceVersion, if given, must be current."""
        served, key = self._place(address, "update")
        request = Request(served, key, options, caller, address.subresource)
        if address.subresource == "scale":
            return self._patches.rescale(request, self._existing(served, key), body)
        body = bodies.fitting(served, key, body)
        old = self.store.get(key)
        if old is None:
            return self._created_by_replace(request, body)
        self._writes.check_version(request, old, body)
        if served.custom is not None and not body["metadata"].get("resourceVersion"):
            raise _version_required(served, key.name)
        body = shapes.decoded(served, body, options.field_validation, caller)
        if address.subresource not in ("", "status"):
            view = conversion.to_served(served, old)
            body = subresources.changed(
                served, address.subresource, view, body, self.core.present()
            )
        return self._writes.update(request, old, body)

    def patch(
        self,
        address: Address,
        patch: Patch,
        options: WriteOptions = WriteOptions(),
        caller: Caller = IN_PROCESS,
    ) -> Object:
        """Change what is there by a JSON, merge or strategic merge patch."""
        served, key = self._place(address, "patch")
        request = Request(served, key, options, caller, address.subresource)
        return self._patches.patch(request, self._existing(served, key), patch)

    def apply(
        self,
        address: Address,
        body: Object,
        options: WriteOptions = WriteOptions(),
        caller: Caller = IN_PROCESS,
    ) -> Object:
        """Server-side apply: `options.manager` owns exactly the fields in `body`."""
        served, key = self._place(address, "patch")
        request = Request(served, key, options, caller, address.subresource)
        return self._patches.apply(request, self.store.get(key), body)

    def delete(self, address: Address, options: DeleteOptions = DeleteOptions()) -> Object:
        """Delete the object; the answer is the object while it stays, else a real server's."""
        served, key = self._place(address, "delete")
        old = self._existing(served, key)
        self._gate.check(served.kind, key.name, "DELETE", old, None)
        return conversion.to_served(served, self._removal.delete(served, key, options))

    def delete_many(
        self, address: Address, match: Match = Match(), options: DeleteOptions = DeleteOptions()
    ) -> Sequence[Object]:
        """Delete the matching objects of the collection; the answer is what they were."""
        served = self._collection(address, "deletecollection")
        matches = matching.matcher(served, match)
        found = [
            obj
            for obj in self.store.scan(served.collection, address.namespace)
            if matches is None or matches(obj)
        ]
        for obj in found:
            meta = obj["metadata"]
            key = Key(served.collection, meta.get("namespace") or "", meta["name"])
            # A deletion before may have taken this one along.
            if self.store.get(key) is not None:
                self._gate.check(served.kind, key.name, "DELETE", obj, None)
                self._removal.delete(served, key, options)
        return conversion.all_served(served, found)

    def discover(self) -> Sequence[ResourceInfo]:
        """What is served, preferred versions first."""
        return self.core.registry.discover()

    def served(self, address: Address) -> Served:
        """What is known of the addressed kind, for those who print or route; NotFound if none."""
        return self.core.registry.find(address.resource)

    def _load(self) -> None:
        if self.store.revision():
            self._definitions.load()
            self._namespaces.load()
            self._garbage.load(self.core.registry.stored())

    def _follow(self, change: Change) -> None:
        """Keep what is derived from the objects up to date, within each commit."""
        _, key, before, after = change
        collection = key.collection
        if collection == customs.COLLECTION:
            self._definitions.observe(change)
        elif collection == services.COLLECTION:
            self._writes.services.keep(before, after)
        if after is None:
            self._ownership.settled(key)
        self._garbage.observe(change)
        if collection == NAMESPACES:
            self._namespaces.observe(change)
        elif after is None:
            self._namespaces.left(key.namespace)
            self._definitions.left(collection)

    def _create_at(
        self, address: Address, body: Object, options: WriteOptions, caller: Caller
    ) -> Object:
        served, key = self._place(address, "get")
        request = Request(served, key, options, caller, address.subresource)
        old = self._existing(served, key)
        if address.subresource == "binding":
            self._writes.bind(request, old, body)
            return subresources.done()
        if address.subresource == "eviction":
            wanted = evictions.options(body)
            self._removal.check(served, old, wanted)
            evictions.spend(self.core, old, dry_run=options.dry_run)
            if not options.dry_run:
                self._removal.delete(served, key, wanted)
            return subresources.done()
        if address.subresource == "token":
            return self._rights.token(old, bodies.token_request(body))
        raise no_such_resource()

    def _created_by_replace(self, request: Request, body: Object) -> Object:
        served, key = request.served, request.key
        if served.kind.kind not in _CREATED_BY_REPLACE or request.subresource:
            raise served.missing(key.name)
        body = shapes.decoded(served, body, request.options.field_validation, request.caller)
        return self._writes.create(request, body)

    def _existing(self, served: Served, key: Key) -> Object:
        obj = self.store.get(key)
        if obj is None:
            raise served.missing(key.name)
        return obj

    def _place(self, address: Address, verb: str) -> tuple[Served, Key]:
        served = self._collection(address, verb)
        if served.namespaced and not address.namespace:
            raise no_such_resource() if address.name else _not_allowed()
        if address.subresource and address.subresource not in served.subresources:
            if served.custom is not None and address.subresource in ("status", "scale"):
                raise served.missing(address.name)
            raise no_such_resource()
        return served, Key(served.collection, address.namespace, address.name)

    def _collection(self, address: Address, verb: str) -> Served:
        served = self.core.registry.find(address.resource)
        if address.namespace and not served.namespaced:
            raise no_such_resource()
        if verb not in served.verbs:
            raise _not_allowed()
        return served


_CREATED_BY_REPLACE = frozenset(
    {
        "Service", "Endpoints", "Event", "Lease", "LimitRange", "ClusterRole", "ClusterRoleBinding",
        "Role", "RoleBinding", "RuntimeClass",
    }
)  # fmt: skip


def _not_allowed() -> MethodNotAllowed:
    return MethodNotAllowed("the server does not allow this method on the requested resource")


def _version_required(served: Served, name: str) -> Exception:
    fault = causes.invalid("metadata.resourceVersion", 0, "must be specified for an update")
    kind = served.kind._replace(kind=served.resource.plural)
    return causes.refusal(kind, name, [fault])
