"""The rows of Services and of what stands before and behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from oneco.clock import Instant
from oneco.kube.objects import Json, Object, dig, metadata
from oneco.kube.table_columns import NONE, UNSET, Printer, age, columns, few, join, labels, selector

_SHOWN_ADDRESSES: Final = 16
_NO_PORT: Final[Sequence[Object]] = ({},)


def _service(obj: Object, now: Instant) -> Sequence[Json]:
    spec = obj.get("spec") or {}
    return [
        metadata(obj).get("name"),
        spec.get("type") or "ClusterIP",
        _cluster_address(spec),
        _external_address(obj),
        _service_ports(spec.get("ports") or ()),
        age(obj, now),
        labels(spec.get("selector")),
    ]


def _cluster_address(spec: Object) -> str:
    addresses = spec.get("clusterIPs") or [spec.get("clusterIP") or ""]
    return addresses[0] or NONE


def _external_address(obj: Object) -> str:
    spec = obj.get("spec") or {}
    kind, extra = spec.get("type") or "ClusterIP", list(spec.get("externalIPs") or ())
    if kind == "ExternalName":
        return spec.get("externalName") or ""
    if kind != "LoadBalancer":
        return ",".join(extra) or NONE
    return ",".join([*_balancer_addresses(obj), *extra]) or "<pending>"


def _balancer_addresses(obj: Object) -> Iterator[str]:
    for one in dig(obj, "status", "loadBalancer", "ingress", default=()):
        yield one.get("ip") or one.get("hostname") or ""


def _service_ports(ports: Sequence[Object]) -> str:
    texts = []
    for port in ports:
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        texts.append(f"{port.get('port')}{node}/{port.get('protocol') or 'TCP'}")
    return ",".join(texts) or NONE


def _endpoints(obj: Object, now: Instant) -> Sequence[Json]:
    found = [
        _address(address.get("ip") or "", port.get("port"))
        for subset in obj.get("subsets") or ()
        for port in subset.get("ports") or _NO_PORT
        for address in subset.get("addresses") or ()
    ]
    return [metadata(obj).get("name"), few(found) or NONE, age(obj, now)]


def _address(host: str, port: int | None) -> str:
    if port is None:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _slice(obj: Object, now: Instant) -> Sequence[Json]:
    ports = obj.get("ports")
    texts = ["*" if not port.get("port") else str(port["port"]) for port in ports or ()]
    addresses = [
        address for one in obj.get("endpoints") or () for address in one.get("addresses") or ()
    ]
    return [
        metadata(obj).get("name"),
        obj.get("addressType") or "",
        few(texts) if texts else UNSET,
        few(addresses) if addresses else UNSET,
        age(obj, now),
    ]


def _ingress(obj: Object, now: Instant) -> Sequence[Json]:
    spec = obj.get("spec") or {}
    hosts = [rule["host"] for rule in spec.get("rules") or () if rule.get("host")]
    return [
        metadata(obj).get("name"),
        spec.get("ingressClassName") or NONE,
        few(hosts) or "*",
        join(_balancer_addresses(obj))[:_SHOWN_ADDRESSES],
        "80, 443" if spec.get("tls") else "80",
        age(obj, now),
    ]


def _ingress_class(obj: Object, now: Instant) -> Sequence[Json]:
    parameters = dig(obj, "spec", "parameters")
    shown = NONE
    if parameters:
        group = f".{parameters['apiGroup']}" if parameters.get("apiGroup") else ""
        shown = f"{parameters.get('kind')}{group}/{parameters.get('name')}"
    return [metadata(obj).get("name"), dig(obj, "spec", "controller"), shown, age(obj, now)]


def _network_policy(obj: Object, now: Instant) -> Sequence[Json]:
    return [metadata(obj).get("name"), selector(dig(obj, "spec", "podSelector")), age(obj, now)]


PRINTERS: Final = {
    ("", "Service"): Printer(
        columns("Name|Type|Cluster-IP|External-IP|Port(s)|Age|+Selector"), _service
    ),
    ("", "Endpoints"): Printer(columns("Name|Endpoints|Age"), _endpoints),
    ("discovery.k8s.io", "EndpointSlice"): Printer(
        columns("Name|AddressType|Ports|Endpoints|Age"), _slice
    ),
    ("networking.k8s.io", "Ingress"): Printer(
        columns("Name|Class|Hosts|Address|Ports|Age"), _ingress
    ),
    ("networking.k8s.io", "IngressClass"): Printer(
        columns("Name|Controller|Parameters|Age"), _ingress_class
    ),
    ("networking.k8s.io", "NetworkPolicy"): Printer(
        columns("Name|Pod-Selector|Age"), _network_policy
    ),
}
