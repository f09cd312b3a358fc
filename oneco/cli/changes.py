"""What applying a set of files would change, asked of the server without changing anything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, NamedTuple

from oneco.cli import fields, source
from oneco.cli.fields import Field
from oneco.cli.served import Served, discover
from oneco.delivery.mistakes import Mistakes
from oneco.errors import Refused
from oneco.kinds.oam import APPLICATIONS
from oneco.kinds.ocm import CLUSTERS
from oneco.kinds.release import POLICIES
from oneco.kube import objects, secrecy
from oneco.kube.api import Api, ListOptions, Match, WriteOptions
from oneco.kube.documents import Document
from oneco.kube.errors import ApiRefusal, Conflict, MethodNotAllowed, NotFound
from oneco.kube.objects import Object, dig, put
from oneco.kube.refs import Address, Resource, kind_of

Verdict = Literal["added", "changed", "unchanged"]

NAMESPACES: Final = Resource("", "v1", "namespaces")
DEFINITIONS: Final = "CustomResourceDefinition"
_AT_ONCE: Final = 8


class Change(NamedTuple):
    """One object of the files: as it would be sent, as it is there, and what would become of it."""

    document: Document
    wanted: Object
    live: Object | None
    becomes: Object
    verdict: Verdict

    @property
    def fields(self) -> tuple[Field, ...]:
        """What would be different, field by field."""
        return _differences(self.live, self.becomes) if self.live is not None else ()


class Surplus(NamedTuple):
    """An object that came from the same directory and is no longer in it."""

    address: Address
    object: Object


class Request(NamedTuple):
    """What a person wants applied: the documents and what holds for all of them."""

    documents: tuple[Document, ...]
    namespace: str
    is_namespace_fixed: bool = False
    source: str = ""
    force: bool = False


class Changes(NamedTuple):
    """Everything that applying would do, in the order in which it would be done."""

    changes: tuple[Change, ...]
    surplus: tuple[Surplus, ...]


async def plan(api: Api, request: Request, *, finds_surplus: bool = True) -> Changes:
    """What applying would change; Mistakes name all that the server would refuse."""
    served = await discover(api)
    placed = placed_documents(request, served)
    made = {_defined_kind(one) for one, _ in placed if one.object.get("kind") == DEFINITIONS}
    new_spaces = await _new_namespaces(api, placed)
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(document: Document, obj: Object) -> Change | Refused:
        kind = kind_of(obj)
        async with limit:
            if served.find(kind) is None and (kind.group, kind.kind) in made:
                return _added(document, obj, request.source)
            try:
                served.needed(document)
                address = served.address(obj)
                return await _ask(api, document, (address, obj), request, new_spaces)
            except Refused as refusal:
                return placed_refusal(document, refusal)

    answers = await asyncio.gather(*(one(document, obj) for document, obj in placed))
    wrong = [one for one in answers if isinstance(one, Refused)]
    if wrong:
        raise Mistakes(wrong)
    changes = tuple(one for one in answers if isinstance(one, Change))
    wants_surplus = finds_surplus and request.source
    surplus = await _surplus(api, served, request.source, changes) if wants_surplus else ()
    return Changes(tuple(sorted(changes, key=_rank)), surplus)


def placed_documents(request: Request, served: Served) -> list[tuple[Document, Object]]:
    """Each document with its object in the namespace where it belongs."""
    placed: list[tuple[Document, Object]] = []
    wrong: list[Refused] = []
    for document in request.documents:
        obj = document.object
        info = served.find(kind_of(obj))
        own = objects.namespace(obj)
        if info is not None and not info.namespaced:
            placed.append((document, obj))
        elif own and request.is_namespace_fixed and own != request.namespace:
            wanted = f'"{request.namespace}", as --namespace says'
            wrong.append(Refused(document.where("metadata.namespace"), found=own, wanted=wanted))
        else:
            namespace = own or request.namespace
            placed.append((document, put(obj, ("metadata", "namespace"), namespace)))
    if wrong:
        raise Mistakes(wrong)
    return placed


def placed_refusal(document: Document, refusal: Refused) -> Refused:
    """A server's refusal with the place in the file that it speaks of."""
    if isinstance(refusal, Conflict):
        wanted = "the value that is there, or --force-conflicts to take the fields over"
        found = secrecy.redacted(refusal.message, document.object)
        return Refused(document.where(), found=found, wanted=wanted)
    if not isinstance(refusal, ApiRefusal):
        return refusal
    place = document.where()
    said = refusal.message
    if refusal.causes:
        place = document.where(refusal.causes[0].field)
        said = "; ".join(f"{one.field}: {one.message}" for one in refusal.causes)
    # Servers quote what they refuse.
    said = secrecy.redacted(said, document.object)
    return Refused(f"{place}: the server refuses it: {said}")


async def _ask(
    api: Api,
    document: Document,
    placed: tuple[Address, Object],
    request: Request,
    new_spaces: frozenset[str],
) -> Change:
    address, obj = placed
    if address.namespace in new_spaces:
        return _added(document, obj, request.source)
    live = await live_at(api, address)
    wanted = marked(obj, request.source, live)
    options = WriteOptions(dry_run=True, field_validation="Strict", force=request.force)
    becomes = await api.apply(address, wanted, options)
    if live is None:
        return Change(document, wanted, None, becomes, "added")
    is_same = not _differences(live, becomes)
    return Change(document, wanted, live, becomes, "unchanged" if is_same else "changed")


def _differences(live: Object, becomes: Object) -> tuple[Field, ...]:
    return fields.differences(source.unmarked(live), source.unmarked(becomes))


async def live_at(api: Api, address: Address) -> Object | None:
    """The object at `address`, None where there is none."""
    try:
        return await api.get(address)
    except NotFound:
        return None


def marked(obj: Object, from_source: str, live: Object | None) -> Object:
    """`obj` with the mark of the directory it comes from, or came from before."""
    return source.mark(obj, from_source) if from_source else source.keep(obj, live)


def _added(document: Document, obj: Object, from_source: str) -> Change:
    wanted = marked(obj, from_source, None)
    return Change(document, wanted, None, wanted, "added")


async def _new_namespaces(api: Api, placed: Iterable[tuple[Document, Object]]) -> frozenset[str]:
    """The namespaces that these documents make and that are not there yet."""
    names = [
        objects.name(obj)
        for _, obj in placed
        if obj.get("kind") == "Namespace" and obj.get("apiVersion") == "v1"
    ]
    there = await asyncio.gather(*(live_at(api, Address(NAMESPACES, name=name)) for name in names))
    return frozenset(name for name, live in zip(names, there, strict=True) if live is None)


async def _surplus(
    api: Api, served: Served, from_source: str, changes: Sequence[Change]
) -> tuple[Surplus, ...]:
    """What carries the source's mark and is in no file of it any more."""
    kept = {_identity(one.wanted) for one in changes}
    match = Match(labels=f"{source.LABEL}={source.key(from_source)}")
    limit = asyncio.Semaphore(_AT_ONCE)

    async def listed(resource: Resource, kind: str) -> list[Surplus]:
        async with limit:
            try:
                page = await api.list(Address(resource), ListOptions(match=match))
            except (NotFound, MethodNotAllowed):
                return []
        found = []
        for item in page.items:
            obj = {"apiVersion": resource.api_version, "kind": kind, **item}
            if _identity(obj) not in kept and not objects.is_deleting(obj):
                place = Address(resource, objects.namespace(obj), objects.name(obj))
                found.append(Surplus(place, obj))
        return found

    lists = await asyncio.gather(*(listed(info.resource, info.kind) for info in served.of_source()))
    found = [
        one
        for rows in lists
        for one in rows
        # The label is copied to what controllers make; the annotation tells the original.
        if objects.annotations_of(one.object).get(source.ANNOTATION) == from_source
        and not objects.metadata(one.object).get("ownerReferences")
    ]
    return tuple(sorted(found, key=lambda one: (-_order(one.object), str(one.address))))


def _identity(obj: Object) -> tuple[str, str, str, str]:
    kind = kind_of(obj)
    return kind.group, kind.kind, objects.namespace(obj), objects.name(obj)


def _defined_kind(document: Document) -> tuple[str, str]:
    obj = document.object
    return dig(obj, "spec", "group", default=""), dig(obj, "spec", "names", "kind", default="")


_LATE: Final = {
    (POLICIES.group, "ReleasePolicy"): 3,
    (CLUSTERS.group, "ManagedCluster"): 4,
    (APPLICATIONS.group, "Application"): 5,
}


def _order(obj: Object) -> int:
    kind = kind_of(obj)
    if kind.kind == "Namespace" and not kind.group:
        return 0
    if kind.kind == DEFINITIONS:
        return 1
    return _LATE.get((kind.group, kind.kind), 2)


def _rank(change: Change) -> tuple[int, str, Any]:
    return _order(change.wanted), change.document.source, change.document.line()
