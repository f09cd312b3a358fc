"""What a cluster serves: in one answer where the server can, group by group where it cannot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import msgspec

from oneco.kube import errors
from oneco.kube.objects import Object, dig
from oneco.kube.refs import Resource, ResourceInfo, split_api_version
from oneco.worlds.cluster import paths
from oneco.worlds.cluster.connection import Connection, Request

_ACCEPT = (
    ",".join(
        f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
        for version in ("v2", "v2beta1")
    )
    + ",application/json"
)
_Body = dict[str, Any]
_decoder = msgspec.json.Decoder(_Body)


class Discovery:
    """What the server said last; asks again when told to, which is cheap if nothing changed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._answers: dict[str, tuple[str, _Body]] = {}

    async def refresh(self) -> Sequence[ResourceInfo]:
        """Everything that is served now, preferred versions first."""
        bodies = [await self._ask("/api"), await self._ask("/apis")]
        if all(body.get("kind") == "APIGroupDiscoveryList" for body in bodies):
            return [info for body in bodies for info in _aggregated(body)]
        return [info async for info in self._group_by_group(*bodies)]

    async def _ask(self, path: str) -> _Body:
        version, held = self._answers.get(path, ("", {}))
        answer = await self._connection.send(Request("GET", path, accept=_ACCEPT, version=version))
        if answer.status == 304:
            return held
        try:
            body = _decoder.decode(answer.body)
        except msgspec.DecodeError as error:
            raise errors.ServiceUnavailable(f"{path} answered no discovery: {error}") from error
        self._answers[path] = (answer.version, body)
        return body

    async def _group_by_group(self, core: _Body, groups: _Body) -> AsyncIterator[ResourceInfo]:
        versions: list[str] = list(dig(core, "versions", default=()))
        for group in dig(groups, "groups", default=()):
            versions += _preferred_first(group)
        for version in versions:
            group_name, version_name = split_api_version(version)
            path = paths.of_resource(Resource(group_name, version_name, ""))
            try:
                body = await self._ask(path)
            except (errors.ApiOutage, errors.NotFound):
                # A group behind an extension server that is down hides only itself.
                continue
            for info in _listed(body, group_name, version_name):
                yield info


def _preferred_first(group: Object) -> list[str]:
    preferred = dig(group, "preferredVersion", "groupVersion", default="")
    served = [one["groupVersion"] for one in group["versions"]]
    # sorted() is stable: the others keep the server's own order.
    return sorted(served, key=lambda one: one != preferred)


def _aggregated(body: _Body) -> Iterable[ResourceInfo]:
    for group in dig(body, "items", default=()):
        group_name = dig(group, "metadata", "name", default="")
        for version in dig(group, "versions", default=()):
            for one in dig(version, "resources", default=()):
                resource = Resource(group_name, version["version"], one["resource"])
                subresources = [sub["subresource"] for sub in one.get("subresources") or ()]
                yield ResourceInfo(
                    resource,
                    dig(one, "responseKind", "kind", default=""),
                    one.get("scope") == "Namespaced",
                    one.get("singularResource") or "",
                    **_shared(one, subresources),
                )


def _listed(body: _Body, group: str, version: str) -> Iterable[ResourceInfo]:
    resources = dig(body, "resources", default=())
    subresources: dict[str, list[str]] = {}
    for one in resources:
        plural, _, subresource = one["name"].partition("/")
        if subresource:
            subresources.setdefault(plural, []).append(subresource)
    for one in resources:
        if "/" not in one["name"]:
            yield ResourceInfo(
                Resource(group, version, one["name"]),
                one["kind"],
                bool(one.get("namespaced")),
                one.get("singularName") or "",
                **_shared(one, subresources.get(one["name"], [])),
            )


def _shared(one: Object, subresources: Sequence[str]) -> dict[str, Any]:
    return {
        "short_names": tuple(one.get("shortNames") or ()),
        "categories": tuple(one.get("categories") or ()),
        "subresources": tuple(sorted(subresources)),
        "verbs": tuple(one.get("verbs") or ()),
    }
