"""Discovery documents: what is served, in the three forms that clients ask for."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from oneco.kube.refs import Kind, ResourceInfo

_SUBRESOURCE_VERBS = {
    "status": ("get", "patch", "update"),
    "scale": ("get", "patch", "update"),
    "approval": ("get", "patch", "update"),
    "finalize": ("update",),
    "log": ("get",),
    "exec": ("create", "get"),
    "attach": ("create", "get"),
    "portforward": ("create", "get"),
    "proxy": ("create", "delete", "get", "patch", "update"),
}
_SUBRESOURCE_KINDS = {
    "scale": Kind("autoscaling", "v1", "Scale"),
    "eviction": Kind("policy", "v1", "Eviction"),
    "binding": Kind("", "v1", "Binding"),
    "token": Kind("authentication.k8s.io", "v1", "TokenRequest"),
}


class Discovery:
    """The documents for one state of what is served."""

    def __init__(self, served: Sequence[ResourceInfo]) -> None:
        self.served = served
        self._groups: dict[str, dict[str, list[ResourceInfo]]] = {}
        for info in served:
            versions = self._groups.setdefault(info.resource.group, {})
            versions.setdefault(info.resource.version, []).append(info)

    def group_versions(self) -> list[tuple[str, str]]:
        """Every group and version served, preferred versions first."""
        return [
            (group, version) for group, versions in self._groups.items() for version in versions
        ]

    def core_versions(self) -> dict[str, Any]:
        """`/api`."""
        return {"kind": "APIVersions", "versions": list(self._groups.get("", {}))}

    def groups(self) -> dict[str, Any]:
        """`/apis`."""
        groups = [self._group(group) for group in self._groups if group]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}

    def group(self, name: str) -> dict[str, Any] | None:
        """`/apis/GROUP`."""
        if name not in self._groups or not name:
            return None
        return {"kind": "APIGroup", "apiVersion": "v1", **self._group(name)}

    def resources(self, group: str, version: str) -> dict[str, Any] | None:
        """`/api/v1` or `/apis/GROUP/VERSION`."""
        served = self._groups.get(group, {}).get(version)
        if served is None:
            return None
        text = f"{group}/{version}" if group else version
        rows = itertools.chain.from_iterable(_rows(info) for info in served)
        return {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": text,
            "resources": list(rows),
        }

    def aggregated(self, *, is_core: bool, version: str) -> dict[str, Any]:
        """`/api` or `/apis` in the form that tells everything at once."""
        items = [
            {
                "metadata": {"name": group, "creationTimestamp": None},
                "versions": _versions(versions),
            }
            for group, versions in self._groups.items()
            if is_core is (group == "")
        ]
        return {
            "kind": "APIGroupDiscoveryList",
            "apiVersion": f"apidiscovery.k8s.io/{version}",
            "metadata": {},
            "items": items,
        }

    def _group(self, name: str) -> dict[str, Any]:
        versions = [
            {"groupVersion": f"{name}/{version}", "version": version}
            for version in self._groups[name]
        ]
        return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _versions(versions: dict[str, list[ResourceInfo]]) -> list[dict[str, Any]]:
    return [
        {
            "version": version,
            "freshness": "Current",
            "resources": [_aggregated_row(info) for info in served],
        }
        for version, served in versions.items()
    ]


def _rows(info: ResourceInfo) -> list[dict[str, Any]]:
    row: dict[str, Any] = {
        "name": info.resource.plural,
        "singularName": info.singular,
        "namespaced": info.namespaced,
        "kind": info.kind,
        "verbs": list(info.verbs),
    }
    if info.short_names:
        row["shortNames"] = list(info.short_names)
    if info.categories:
        row["categories"] = list(info.categories)
    return [row, *(_subresource_row(info, name) for name in info.subresources)]


def _subresource_row(info: ResourceInfo, name: str) -> dict[str, Any]:
    kind = _SUBRESOURCE_KINDS.get(name)
    place = {"group": kind.group, "version": kind.version} if kind else {}
    return {
        "name": f"{info.resource.plural}/{name}",
        "singularName": "",
        "namespaced": info.namespaced,
        **place,
        "kind": kind.kind if kind else info.kind,
        "verbs": list(_SUBRESOURCE_VERBS.get(name, ("create",))),
    }


def _aggregated_row(info: ResourceInfo) -> dict[str, Any]:
    row: dict[str, Any] = {
        "resource": info.resource.plural,
        "responseKind": _response_kind(info, None),
        "scope": "Namespaced" if info.namespaced else "Cluster",
        "singularResource": info.singular,
        "verbs": list(info.verbs),
    }
    if info.short_names:
        row["shortNames"] = list(info.short_names)
    if info.categories:
        row["categories"] = list(info.categories)
    if info.subresources:
        row["subresources"] = [
            {
                "subresource": name,
                "responseKind": _response_kind(info, _SUBRESOURCE_KINDS.get(name)),
                "verbs": list(_SUBRESOURCE_VERBS.get(name, ("create",))),
            }
            for name in info.subresources
        ]
    return row


def _response_kind(info: ResourceInfo, other: Kind | None) -> dict[str, str]:
    group, version, kind = other or Kind(info.resource.group, info.resource.version, info.kind)
    return {"group": group, "version": version, "kind": kind}
