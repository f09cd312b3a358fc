"""What a cluster serves, by kind and by what is needed of it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from oneco.errors import Refused
from oneco.kube import objects
from oneco.kube.api import Api
from oneco.kube.documents import Document
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Kind, ResourceInfo, kind_of


class Served:
    """The kinds of one cluster as its discovery told them last."""

    def __init__(self, infos: Sequence[ResourceInfo]) -> None:
        self.infos = tuple(infos)
        self._by_kind: dict[Kind, ResourceInfo] = {}
        for info in infos:
            resource = info.resource
            self._by_kind.setdefault(Kind(resource.group, resource.version, info.kind), info)

    def find(self, kind: Kind) -> ResourceInfo | None:
        """How `kind` is served, None where it is not."""
        return self._by_kind.get(kind)

    def needed(self, document: Document) -> ResourceInfo:
        """How a document's kind is served; Refused where it is not."""
        kind = kind_of(document.object)
        info = self.find(kind)
        if info is not None:
            return info
        names = {f"{one.kind} of {one.api_version}" for one in self._by_kind}
        said = f"{kind.kind} of {kind.api_version}"
        near = difflib.get_close_matches(said, names, 1, 0.6)
        meant = f" such as {near[0]}" if near else ""
        raise Refused(document.where("kind"), found=said, wanted=f"a kind of this cluster{meant}")

    def address(self, obj: Object) -> Address:
        """Where `obj` is, if its kind is served."""
        info = self.find(kind_of(obj))
        assert info is not None, f"{kind_of(obj)} is not served"
        namespace = objects.namespace(obj) if info.namespaced else ""
        return Address(info.resource, namespace, objects.name(obj))

    def of_source(self) -> Sequence[ResourceInfo]:
        """The kinds that may have come from a file: those that can be listed and deleted."""
        chosen: dict[tuple[str, str], ResourceInfo] = {}
        for info in self.infos:
            if not info.verbs or {"list", "delete"} <= set(info.verbs):
                # One version of each is enough: the objects are the same.
                chosen.setdefault((info.resource.group, info.kind), info)
        return tuple(chosen.values())


async def discover(api: Api) -> Served:
    """What this cluster serves now."""
    return Served(await api.discover())
