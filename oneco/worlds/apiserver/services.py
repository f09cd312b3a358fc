"""Addresses and ports of Services: given out once each, free again when the Service is gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from oneco.kube import causes
from oneco.kube.errors import Cause
from oneco.kube.objects import Object, dig
from oneco.worlds.apiserver.core import Core

COLLECTION: Final = "/services"
KUBERNETES_ADDRESS: Final = "10.0.0.1"
_FIRST_PORT, _PORTS = 30000, 2768
_ADDRESSES: Final = 65534
_RESERVED: Final = 257
"""The lowest addresses are kept for those who ask for one by name."""
_FLAGS: Final = ("NodePort", "LoadBalancer")


class Services:
    """What is given out in one cluster; read from its Services when first asked."""

    __slots__ = ("_addresses", "_core", "_ports")

    def __init__(self, core: Core) -> None:
        self._core = core
        self._addresses: set[str] | None = None
        self._ports: set[int] = set()

    def allocate(self, new: Object, old: Object | None) -> tuple[Object, list[Cause]]:
        """`new` with addresses and node ports, and what is wrong with those it asks for.

        Nothing is given out for good before `keep` is called.
        """
        self._load()
        spec = dict(new.get("spec") or {})
        faults = self._give_address(spec, (old or {}).get("spec") or {}, new["metadata"]["name"])
        faults += self._give_ports(spec, (old or {}).get("spec") or {}, new["metadata"]["name"])
        return {**new, "spec": spec}, faults

    def keep(self, before: Object | None, after: Object | None) -> None:
        """Note what a committed change of a Service took and gave back."""
        if self._addresses is None:
            return
        self._addresses.difference_update(_addresses(before))
        self._ports.difference_update(_ports(before))
        self._addresses.update(_addresses(after))
        self._ports.update(_ports(after))

    def _load(self) -> None:
        if self._addresses is None:
            services = self._core.store.scan(COLLECTION)
            self._addresses = {text for service in services for text in _addresses(service)}
            self._ports = {port for service in services for port in _ports(service)}

    def _give_address(self, spec: dict[str, Any], old: Object, name: str) -> list[Cause]:
        if spec.get("type") == "ExternalName":
            for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
                spec.pop(key, None)
            if old and old.get("type") != "ExternalName":
                spec.pop("internalTrafficPolicy", None)
            return []
        wanted = spec.get("clusterIP") or dig(spec, "clusterIPs", 0, default="")
        held = old.get("clusterIP") or ""
        if held and wanted and wanted != held and old.get("type") != "ExternalName":
            shown = [wanted]
            return [causes.invalid("spec.clusterIPs[0]", shown, "may not change once set")]
        faults = []
        if not wanted:
            wanted = held or self._free_address(name)
        elif wanted not in ("None", held):
            faults = self._address_faults(wanted)
        spec["clusterIP"], spec["clusterIPs"] = wanted, [wanted]
        if wanted == "None" and not spec.get("selector"):
            spec.setdefault("ipFamilies", ["IPv4", "IPv6"])
            spec.setdefault("ipFamilyPolicy", "RequireDualStack")
        spec.setdefault("ipFamilies", ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "SingleStack")
        return faults

    def _address_faults(self, wanted: str) -> list[Cause]:
        assert self._addresses is not None
        if not wanted.startswith("10.0."):
            words = (
                f"failed to allocate IP {wanted}: the provided network does not match the "
                "current range"
            )
        elif wanted in self._addresses:
            words = f"failed to allocate IP {wanted}: provided IP is already allocated"
        else:
            return []
        return [causes.invalid("spec.clusterIPs", [wanted], words)]

    def _free_address(self, name: str) -> str:
        assert self._addresses is not None
        span = _ADDRESSES - _RESERVED
        start = self._core.bits("address", name) % span
        for number in _around(start, span):
            text = f"10.0.{(number + _RESERVED) >> 8}.{(number + _RESERVED) & 255}"
            if text not in self._addresses:
                return text
        raise AssertionError("every address of the cluster is given out")

    def _give_ports(self, spec: dict[str, Any], old: Object, name: str) -> list[Cause]:
        ports: Sequence[Object] = spec.get("ports") or ()
        if spec.get("type") not in _FLAGS:
            if old.get("type") in _FLAGS:
                # What the server gave goes with the type that needed it.
                given = _ports({"spec": old})
                spec["ports"] = [_without(port, given) for port in ports]
            return []
        held = {
            _port_key(port): port["nodePort"]
            for port in old.get("ports") or ()
            if port.get("nodePort")
        }
        taken = set(self._ports).difference(held.values())
        faults, kept = [], []
        for index, port in enumerate(ports):
            wanted = port.get("nodePort") or held.get(_port_key(port))
            if not wanted:
                wanted = self._free_port(f"{name}/{index}", taken)
            else:
                faults += _port_faults(f"spec.ports[{index}].nodePort", wanted, taken)
            taken.add(wanted)
            kept.append({**port, "nodePort": wanted})
        spec["ports"] = kept
        return faults

    def _free_port(self, name: str, taken: set[int]) -> int:
        start = self._core.bits("port", name) % _PORTS
        for number in _around(start, _PORTS):
            if _FIRST_PORT + number not in taken:
                return _FIRST_PORT + number
        raise AssertionError("every node port of the cluster is given out")


def _around(start: int, span: int) -> Iterator[int]:
    yield from range(start, span)
    yield from range(start)


def _port_key(port: Object) -> tuple[str, int]:
    return port.get("protocol") or "TCP", port.get("port") or 0


def _without(port: Object, given: Sequence[int]) -> Object:
    if port.get("nodePort") not in given:
        return port
    return {key: value for key, value in port.items() if key != "nodePort"}


def _port_faults(field: str, wanted: int, taken: set[int]) -> list[Cause]:
    if not _FIRST_PORT <= wanted < _FIRST_PORT + _PORTS:
        words = (
            "provided port is not in the valid range. The range of valid ports is "
            f"{_FIRST_PORT}-{_FIRST_PORT + _PORTS - 1}"
        )
    elif wanted in taken:
        words = "provided port is already allocated"
    else:
        return []
    return [causes.invalid(field, wanted, words)]


def _addresses(service: Object | None) -> Sequence[str]:
    found = dig(service, "spec", "clusterIPs", default=()) if service else ()
    return [text for text in found if text != "None"]


def _ports(service: Object | None) -> Sequence[int]:
    ports = dig(service, "spec", "ports", default=()) if service else ()
    return [port["nodePort"] for port in ports if port.get("nodePort")]
