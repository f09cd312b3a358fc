"""Creating and updating: what every public write goes through before it is committed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from oneco.kube import apply, causes, names, ownership
from oneco.kube.api import WriteOptions
from oneco.kube.apply import Pending
from oneco.kube.errors import AlreadyExists, Cause, Conflict, InternalError
from oneco.kube.objects import Object
from oneco.kube.refs import Kind
from oneco.kube.warnings import warnings
from oneco.worlds.apiserver import conversion, customs, metadata, shapes, strategies, subresources
from oneco.worlds.apiserver.admission import Gate
from oneco.worlds.apiserver.core import Caller, Core, ignore_warning
from oneco.worlds.apiserver.emptying import Namespaces
from oneco.worlds.apiserver.garbage import Garbage
from oneco.worlds.apiserver.ownership import Ownership
from oneco.worlds.apiserver.registry import Served
from oneco.worlds.apiserver.removal import Removal
from oneco.worlds.apiserver.services import Services
from oneco.worlds.apiserver.store import Key

_DEPLOYMENT: Final = Kind("apps", "v1", "Deployment")
_SERVICE: Final = Kind("", "v1", "Service")
_IDENTITY: Final = frozenset({"apiVersion", "kind", "metadata", "status"})


class Request(NamedTuple):
    """One write: of what, where, how, by whom."""

    served: Served
    key: Key
    options: WriteOptions
    caller: Caller
    subresource: str = ""

    def named(self, name: str) -> Request:
        """The same request for the object called `name`."""
        return self._replace(key=Key(self.key.collection, self.key.namespace, name))


Guard = Callable[[Request, Object | None, Object], None]
"""Raises Forbidden if the content of the write is not for the one who writes."""


class Writes:
    """The way of a public write from a decoded body to the store."""

    __slots__ = (
        "_core", "_garbage", "_gate", "_guard", "_namespaces", "_ownership", "_removal", "services",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 - the parts of one server, joined here alone
        self,
        core: Core,
        *,
        gate: Gate,
        guard: Guard,
        garbage: Garbage,
        namespaces: Namespaces,
        ownership: Ownership,
        removal: Removal,
    ) -> None:
        self._core, self._gate, self._garbage = core, gate, garbage
        self._guard = guard
        self._namespaces, self._ownership, self._removal = namespaces, ownership, removal
        self.services = Services(core)

    def create(self, request: Request, body: Object) -> Object:
        """Store the decoded `body` as a new object; the answer is as this version shows it."""
        served = request.served
        body = conversion.to_stored(served, body)
        request, meta = self._named(request, body["metadata"])
        self._namespaces.admit(served, request.key)
        if self._core.get(request.key) is not None:
            raise AlreadyExists(
                f'{served.group_resource} "{request.key.name}" already exists',
                details=served.details(request.key.name),
            )
        new, found = self._prepared(request, {**body, "metadata": meta})
        new = self._gate.complete(served.kind, None, new)
        self._refuse(request, [*found, *shapes.faults(served, new, None, "")])
        self._guard(request, None, new)
        self._gate.check(served.kind, request.key.name, "CREATE", None, new)
        warn(request, new, None)
        if "managedFields" not in meta:
            new = self._owned(request, None, new, body)
        if request.options.dry_run:
            return conversion.to_served(served, new)
        stored = self._core.store.commit(request.key, new).after
        assert stored is not None, "a creation stores something"
        if "ownerReferences" in meta:
            self._garbage.check_owners(request.key, stored)
        return conversion.to_served(served, stored)

    def update(self, request: Request, old: Object, body: Object, *, entries: Any = None) -> Object:
        """Store `body`, which is decoded, in place of `old`; nothing happens if nothing changes.

        `entries` are the managers that follow from the write, where the caller computed them.
        """
        served = request.served
        new = merged = self._merged(request, old, conversion.to_stored(served, body))
        new, found = self._completed(request, new, old, is_default=entries is not None)
        if not request.subresource:
            new = self._gate.complete(served.kind, old, new)
        new = self._counted(served, old, new)
        given = None if request.subresource else body["metadata"].get("managedFields")
        is_edited = given is not None and given != (old["metadata"].get("managedFields") or [])
        if is_edited:
            new = {**new, "metadata": {**new["metadata"], "managedFields": given}}
        if not is_edited and _is_same(old, new) and not self._changes_managers(old, entries):
            warn(request, new, old)
            return conversion.to_served(served, old)
        self._refuse(request, [*found, *shapes.faults(served, new, old, request.subresource)])
        self._guard(request, old, new)
        self._gate.check(served.kind, request.key.name, "UPDATE", old, new)
        warn(request, new, old)
        if entries is not None:
            new = apply.recorded(new, entries)
        else:
            new = self._owned(request, old, new, merged)
        if request.options.dry_run:
            return conversion.to_served(served, new)
        if entries is not None:
            self._ownership.settled(request.key)
        stored = self._removal.put(request.key, new)
        owners = new["metadata"].get("ownerReferences")
        if stored is not None and owners and owners != old["metadata"].get("ownerReferences"):
            self._garbage.check_owners(request.key, stored)
        return conversion.to_served(served, new if stored is None else stored)

    def bind(self, request: Request, old: Object, body: Object) -> None:
        """Put the pod `old` on the node that the Binding `body` names."""
        new = subresources.bound(old, body, self._core.present())
        if not request.options.dry_run:
            self._core.store.commit(request.key, new)

    def check_version(self, request: Request, old: Object, body: Object) -> None:
        """Raise Conflict if `body` was made from another version or another object than `old`."""
        given = body["metadata"]
        name = request.key.name
        version, uid = given.get("resourceVersion"), given.get("uid")
        if version and version not in ("0", old["metadata"]["resourceVersion"]):
            if not version.isdecimal():
                raise InternalError(f'strconv.ParseUint: parsing "{version}": invalid syntax')
            raise stale(request.served, name)
        if uid and uid != old["metadata"]["uid"]:
            raise Conflict(
                f'Operation cannot be fulfilled on {request.served.group_resource} "{name}": '
                f"Precondition failed: UID in precondition: {uid}, UID in object meta: "
                f"{old['metadata']['uid']}",
                details=request.served.details(name),
            )

    def _named(self, request: Request, given: Object) -> tuple[Request, Mapping[str, Any]]:
        """The request with its final name, and the metadata that the new object begins with."""
        core, name = self._core, request.key.name
        prefix = given.get("generateName")
        if not name and prefix:
            request = request.named(names.generate(prefix, core.bits("name", prefix)))
        served, key = request.served, request.key
        return request, metadata.new(
            given,
            key,
            uid=core.fresh_uid(key),
            now=core.present(),
            generation=1 if served.counts_generation else 0,
        )

    def _prepared(self, request: Request, new: Object) -> tuple[Object, list[Cause]]:
        served = request.served
        if served.has_status and "status" in new:
            new = {key: value for key, value in new.items() if key != "status"}
        if served.custom is None:
            new = strategies.prepared(served.storage, new, request.caller)
        return self._completed(request, new, None)

    def _completed(
        self, request: Request, new: Object, old: Object | None, *, is_default: bool = False
    ) -> tuple[Object, list[Cause]]:
        """`new` with defaults and what the server gives out, and what is wrong with that.

        `is_default` says that the defaults are there already.
        """
        served = request.served
        if served.custom is not None:
            return new if is_default else shapes.defaulted(served, new, old), []
        if request.subresource:
            return new, []
        new = strategies.written(served.storage, new)
        if old is not None:
            new = strategies.fixed(served.storage, new, old)
        new = new if is_default else shapes.defaulted(served, new, old)
        new = strategies.finished(served.storage, new)
        if served.storage == _SERVICE:
            return self.services.allocate(new, old)
        if served.storage == customs.KIND:
            found = customs.faults(new, old)
            if not found and (old is None or old["spec"] is not new["spec"]):
                new = {**new, "status": customs.accepted_status(new, self._core.present())}
            return new, found
        return new, []

    def _merged(self, request: Request, old: Object, body: Object) -> Object:
        """`body` with the parts that this request cannot write taken from `old`."""
        served = request.served
        meta = metadata.kept(body["metadata"], old["metadata"])
        if request.subresource in ("status", "approval"):
            if served.custom is not None:
                meta = old["metadata"]
            elif served.storage == _DEPLOYMENT:
                meta = {**meta, "labels": old["metadata"].get("labels") or {}}
                meta = metadata.kept(meta, old["metadata"])
            merged = {**old, "metadata": meta}
            if "status" in body:
                merged["status"] = strategies.status(served.storage, body["status"])
            else:
                merged.pop("status", None)
            return merged
        new = {**body, "metadata": meta}
        if served.has_status:
            new.pop("status", None)
            if "status" in old:
                new["status"] = old["status"]
        return new

    def _counted(self, served: Served, old: Object, new: Object) -> Object:
        """`new` with the next generation if what is desired changed."""
        if not served.counts_generation or not _desires_differ(served, old, new):
            return new
        meta = new["metadata"]
        return {**new, "metadata": {**meta, "generation": (meta.get("generation") or 0) + 1}}

    def _owned(self, request: Request, old: Object | None, new: Object, given: Object) -> Object:
        """`new`, made of what was `given`, with its managers."""
        served = request.served
        now, options = self._core.present(), request.options
        spec = strategies.owned_spec(served.storage, given, new)
        write = Pending(options.manager, old, new, now, request.subresource, spec)
        if request.options.dry_run:
            kind = shapes.stored_type(served)
            return self._ownership.tried(write, kind, has_status=served.has_status)
        return self._ownership.record(
            request.key, write, shapes.stored_type(served), has_status=served.has_status
        )

    def _changes_managers(self, old: Object, entries: Any) -> bool:
        if entries is None:
            return False
        held = old["metadata"].get("managedFields") or ()
        return held is not entries and ownership.untimed(held) != ownership.untimed(entries)

    def _refuse(self, request: Request, found: list[Cause]) -> None:
        if found:
            raise causes.refusal(request.served.kind, request.key.name, found)


def warn(request: Request, new: Object, old: Object | None) -> None:
    """Tell the caller what is dubious about creating `new` or putting it in place of `old`."""
    # Within the process nobody hears it, so nobody looks.
    if request.caller.warn is not ignore_warning and not request.subresource:
        for text in warnings(request.served.storage, new, old):
            request.caller.warn(text)
        kind = request.served.storage
        if kind in strategies.WITHOUT_EFFECT and old is None:
            request.caller.warn(f"{kind.kind}: {strategies.KEPT_ONLY}")


def stale(served: Served, name: str) -> Conflict:
    """The error that says the object changed since it was read."""
    return Conflict(
        f'Operation cannot be fulfilled on {served.group_resource} "{name}": the object has been '
        "modified; please apply your changes to the latest version and try again",
        details=served.details(name),
    )


def _desires_differ(served: Served, old: Object, new: Object) -> bool:
    ignored = _IDENTITY if served.has_status or served.custom is None else _IDENTITY - {"status"}
    for key, value in new.items():
        if key not in ignored:
            before = old.get(key)
            if before is not value and before != value:
                return True
    if served.storage == _DEPLOYMENT:
        was, meta = old["metadata"], new["metadata"]
        if (was.get("annotations") or {}) != (meta.get("annotations") or {}):
            return True
    return any(key not in new and key not in ignored for key in old)


def _is_same(old: Object, new: Object) -> bool:
    if old is new:
        return True
    if len(old) != len(new):
        return False
    for key, value in new.items():
        before = old.get(key)
        if before is value:
            continue
        if key == "metadata":
            if _without_managers(before) != _without_managers(value):
                return False
        elif before != value:
            return False
    return True


def _without_managers(meta: Any) -> Any:
    return {key: value for key, value in meta.items() if key != "managedFields"}
