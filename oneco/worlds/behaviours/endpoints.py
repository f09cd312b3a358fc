"""Services and the pods behind them: Endpoints and EndpointSlices of the ready ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, NamedTuple

from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Change, Key
from oneco.worlds.behaviours import chances, statuses, templates
from oneco.worlds.behaviours.controller import Controller
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import ENDPOINTS, PODS, SERVICES, SLICES, Index

_SLICE_SIZE = 100
_SERVICE_LABEL = "kubernetes.io/service-name"
_MANAGER = "endpointslice-controller.k8s.io"


class _Member(NamedTuple):
    """One pod behind a service."""

    pod: Object
    is_ready: bool
    is_leaving: bool


class Endpoints(Controller):
    """The endpoint controllers of one cluster."""

    collections: ClassVar[tuple[str, ...]] = (SERVICES, PODS)

    def __init__(self, hand: Hand, index: Index, stir: Callable[[], None]) -> None:
        super().__init__(hand, index, stir)
        self._services: dict[str, dict[str, Object]] = {}

    def notice(self, change: Change) -> None:
        """Look at a service that changed, or whose pods did."""
        key, before, after = change.key, change.before, change.after
        if key.collection == SERVICES:
            self._follow(key, after)
            if before is None or after is None or before["spec"] is not after["spec"]:
                self.mark(key)
            return
        services = self._services.get(key.namespace)
        if services and _address(before) != _address(after):
            labels = [pod["metadata"].get("labels") or {} for pod in (before, after) if pod]
            for name, service in services.items():
                selector = service["spec"].get("selector")
                if selector and any(selector.items() <= found.items() for found in labels):
                    self.mark(Key(SERVICES, key.namespace, name))

    def reconcile(self, key: Key) -> None:
        """Write which pods are behind the service."""
        service = self._services.get(key.namespace, {}).get(key.name)
        if service is None:
            self.hand.delete(Key(ENDPOINTS, key.namespace, key.name))
            for name in self._slices(key):
                self.hand.delete(Key(SLICES, key.namespace, name))
            return
        selector = service["spec"].get("selector")
        if not selector or service["spec"].get("type") == "ExternalName":
            return
        members = [
            _Member(pod, statuses.is_ready(pod), "deletionTimestamp" in pod["metadata"])
            for _, pod in sorted(self.index.pods(key.namespace).items())
            if selector.items() <= (pod["metadata"].get("labels") or {}).items()
            and (pod.get("status") or {}).get("podIP")
            and not statuses.is_finished(pod)
        ]
        self._write_endpoints(key, service, members)
        self._write_slices(key, service, members)

    def _follow(self, key: Key, service: Object | None) -> None:
        services = self._services.setdefault(key.namespace, {})
        if service is None:
            services.pop(key.name, None)
        else:
            services[key.name] = service

    def _write_endpoints(self, key: Key, service: Object, members: Sequence[_Member]) -> None:
        subset: dict[str, Any] = {}
        for part, wanted in (("addresses", True), ("notReadyAddresses", False)):
            found = [
                _endpoint_address(one.pod)
                for one in members
                if one.is_ready is wanted and not one.is_leaving
            ]
            if found:
                subset[part] = found
        subsets = [{**subset, "ports": _ports(service, members)}] if subset else []
        own = Key(ENDPOINTS, key.namespace, key.name)
        present = self.hand.store.get(own)
        labels = {
            **(service["metadata"].get("labels") or {}),
            "endpoints.kubernetes.io/managed-by": "endpoint-controller",
        }
        if present is None:
            self.hand.create(
                own,
                {
                    "apiVersion": "v1",
                    "kind": "Endpoints",
                    "metadata": {"labels": labels},
                    "subsets": subsets,
                },
            )
        elif present.get("subsets") != subsets:
            self.hand.put(own, {**present, "subsets": subsets})

    def _write_slices(self, key: Key, service: Object, members: Sequence[_Member]) -> None:
        present = self._slices(key)
        count = max(1, -(-len(members) // _SLICE_SIZE))
        ports = _ports(service, members)
        for place in range(max(count, len(present))):
            chosen = members[place * _SLICE_SIZE : (place + 1) * _SLICE_SIZE]
            name = f"{key.name}-{chances.word(5, self.hand.cluster, *key, place)}"
            own = Key(SLICES, key.namespace, name)
            if place >= count:
                self.hand.delete(own)
                continue
            self._write_slice(own, service, _slice_endpoints(chosen), ports)

    def _write_slice(
        self, key: Key, service: Object, endpoints: list[Object], ports: list[Object]
    ) -> None:
        present = self.hand.store.get(key)
        if present is not None:
            if present["endpoints"] != endpoints or present["ports"] != ports:
                self.hand.change(key, {**present, "endpoints": endpoints, "ports": ports})
            return
        labels = {
            **(service["metadata"].get("labels") or {}),
            _SERVICE_LABEL: service["metadata"]["name"],
            "endpointslice.kubernetes.io/managed-by": _MANAGER,
        }
        owner = {"apiVersion": "v1", "kind": "Service", **service}
        self.hand.create(
            key,
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {
                    "generateName": f"{service['metadata']['name']}-",
                    "labels": labels,
                    "ownerReferences": [templates.owner_reference(owner)],
                },
                "addressType": "IPv4",
                "endpoints": endpoints,
                "ports": ports,
            },
        )

    def _slices(self, key: Key) -> list[str]:
        """The names of the service's slices, in their order."""
        names: list[str] = []
        while True:
            name = f"{key.name}-{chances.word(5, self.hand.cluster, *key, len(names))}"
            if self.hand.store.get(Key(SLICES, key.namespace, name)) is None:
                return names
            names.append(name)


def _address(pod: Object | None) -> tuple[Any, ...] | None:
    """What endpoints show of a pod."""
    if pod is None:
        return None
    address = (pod.get("status") or {}).get("podIP")
    if address is None:
        return None
    metadata = pod["metadata"]
    labels = metadata.get("labels")
    is_leaving = "deletionTimestamp" in metadata
    return address, is_leaving, statuses.is_ready(pod), statuses.is_finished(pod), labels


def _endpoint_address(pod: Object) -> Object:
    return {
        "ip": pod["status"]["podIP"],
        "nodeName": pod["spec"]["nodeName"],
        "targetRef": _reference(pod),
    }


def _slice_endpoints(members: Iterable[_Member]) -> list[Object]:
    return [
        {
            "addresses": [one.pod["status"]["podIP"]],
            "conditions": {
                "ready": one.is_ready and not one.is_leaving,
                "serving": one.is_ready,
                "terminating": one.is_leaving,
            },
            "nodeName": one.pod["spec"]["nodeName"],
            "targetRef": _reference(one.pod),
        }
        for one in members
    ]


def _reference(pod: Object) -> Object:
    metadata = pod["metadata"]
    return {
        "kind": "Pod",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


def _ports(service: Object, members: Sequence[_Member]) -> list[Object]:
    pod = members[0].pod if members else None
    found: list[Object] = []
    for port in service["spec"].get("ports") or ():
        target = port.get("targetPort", port["port"])
        number = _named_port(pod, target) if isinstance(target, str) else target
        if number is not None:
            entry = {"port": number, "protocol": port.get("protocol", "TCP")}
            found.append({"name": port["name"], **entry} if port.get("name") else entry)
    return found


def _named_port(pod: Object | None, name: str) -> int | None:
    if name.isdigit():
        return int(name)
    for container in pod["spec"]["containers"] if pod else ():
        for port in container.get("ports") or ():
            if port.get("name") == name:
                return int(port["containerPort"])
    return None
