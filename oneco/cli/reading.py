"""What a command reads of one application and its releases."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from oneco.cli import tree
from oneco.delivery.mistakes import one_of
from oneco.errors import Refused
from oneco.kinds.naming import release_key
from oneco.kinds.oam import APPLICATIONS, NAME_LABEL
from oneco.kinds.release import RELEASE_LABEL, RELEASES, UNITS, sequence_of
from oneco.kube import objects
from oneco.kube.api import Api, ListOptions, Match
from oneco.kube.errors import NotFound
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource

_PAGE = 500


class Course(NamedTuple):
    """An application with its releases, oldest first, and the clusters' parts of the newest."""

    application: Object
    releases: Sequence[Object]
    units: Sequence[Object]

    def tree(self, *, is_whole: bool = False) -> tree.Application:
        """The tree that these make."""
        return tree.tree(self.application, self.releases, self.units, is_whole=is_whole)


async def course(api: Api, namespace: str, name: str) -> Course:
    """The application called `name` with its newest releases; Refused where there is none."""
    application = await needed_application(api, namespace, name)
    found = await releases(api, namespace, name)
    newest = [one for one in found if _revision(one) == _revision(found[-1])]
    rows = await asyncio.gather(*(units(api, one) for one in newest))
    return Course(application, found, [unit for row in rows for unit in row])


async def units(api: Api, release: Object) -> list[Object]:
    """Every cluster's part of one release."""
    key = release_key(objects.namespace(release), objects.name(release))
    return await everything(api, Address(UNITS), f"{RELEASE_LABEL}={key}")


async def needed_application(api: Api, namespace: str, name: str) -> Object:
    """The application called `name`; Refused with those that there are."""
    try:
        return await api.get(Address(APPLICATIONS, namespace, name))
    except NotFound:
        there = await listed(api, APPLICATIONS, namespace)
        wanted = one_of([objects.name(one) for one in there], name) if there else ""
        where = f"applications in namespace {namespace}"
        raise Refused(where, found=name, wanted=wanted or "one that was applied") from None


async def releases(api: Api, namespace: str, application: str = "") -> list[Object]:
    """The releases of an application, or of all in the namespace, oldest first."""
    labels = f"{NAME_LABEL}={application}" if application else ""
    found = await listed(api, RELEASES, namespace, labels)
    return sorted(found, key=lambda one: (_application(one), sequence_of(one)))


async def listed(
    api: Api, resource: Resource, namespace: str = "", labels: str = ""
) -> list[Object]:
    """The objects of a kind of ours; Refused where the server does not know it."""
    try:
        return await everything(api, Address(resource, namespace), labels)
    except NotFound:
        wanted = "the hub's server; `oneco up` starts a hub"
        raise Refused(
            f"the server has no {resource.plural}.{resource.group}", wanted=wanted
        ) from None


async def everything(api: Api, address: Address, labels: str = "") -> list[Object]:
    """All matching objects of a collection, page by page."""
    found: list[Object] = []
    token = ""
    while True:
        options = ListOptions(match=Match(labels=labels), limit=_PAGE, continue_token=token)
        page = await api.list(address, options)
        found += page.items
        token = page.continue_token
        if not token:
            return found


def _revision(release: Object) -> str:
    return str(objects.dig(release, "spec", "revision", default=""))


def _application(release: Object) -> str:
    return str(objects.dig(release, "spec", "application", default=""))
