"""What an API server warns of in built-in kinds that it accepts, in its own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from oneco.kube import quantity
from oneco.kube.objects import Object, dig
from oneco.kube.refs import Kind

_NO_POD: Final = "a null labelSelector results in matching no pod"
_NEGATIVE_GRACE: Final = "must be >= 0; negative values are invalid and will be treated as 1"
_WHOLE_BYTES: Final = ("memory", "ephemeral-storage")
_TERMS: Final = {
    "requiredDuringSchedulingIgnoredDuringExecution": (),
    "preferredDuringSchedulingIgnoredDuringExecution": ("podAffinityTerm",),
}


def warnings(kind: Kind, new: Object, old: Object | None) -> list[str]:
    """The warnings about creating `new`, or about putting it in place of `old`."""
    if (kind.group, kind.kind) == ("", "Service"):
        return _once(_of_service(new))
    path = _TEMPLATES.get((kind.group, kind.kind))
    if path is None or (old is not None and not _is_next_generation(new, old)):
        return []
    template = dig(new, *path, default={})
    return _once(_of_template(template, f"{'.'.join(path)}." if path else ""))


def _is_next_generation(new: Object, old: Object) -> bool:
    return bool(new["metadata"].get("generation") != old["metadata"].get("generation"))


def _once(found: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(found))


def _of_template(template: Object, start: str) -> Iterator[str]:
    spec = template.get("spec") or {}
    field = f"{start}spec"
    for index, one in enumerate(spec.get("topologySpreadConstraints") or ()):
        if one.get("labelSelector") is None:
            yield f"{field}.topologySpreadConstraints[{index}].labelSelector: {_NO_POD}"
    yield from _repeated(spec.get("hostAliases") or (), "ip", f"{field}.hostAliases")
    secrets = spec.get("imagePullSecrets") or ()
    yield from _repeated(secrets, "name", f"{field}.imagePullSecrets")
    for index, one in enumerate(secrets):
        if not one.get("name"):
            yield f'{field}.imagePullSecrets[{index}].name: invalid empty name ""'
    containers = [
        (f"{field}.{key}[{index}]", container)
        for key in ("initContainers", "containers", "ephemeralContainers")
        for index, container in enumerate(spec.get(key) or ())
    ]
    for where, container in containers:
        yield from _of_amounts(container.get("resources") or {}, f"{where}.resources")
        yield from _of_environment(container.get("env") or (), f"{where}.env")
    ports = [
        (f"{where}.ports[{index}]", port)
        for where, container in containers
        for index, port in enumerate(container.get("ports") or ())
    ]
    yield from _of_ports(ports)
    yield from _of_port_names(ports)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        yield f"{field}.terminationGracePeriodSeconds: {_NEGATIVE_GRACE}"
    for key in ("podAffinity", "podAntiAffinity"):
        yield from _of_affinity(dig(spec, "affinity", key, default={}), f"{field}.affinity.{key}")


def _repeated(items: Sequence[Object], key: str, field: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        value = item.get(key) or ""
        if value in seen:
            yield f'{field}[{index}].{key}: duplicate {key} "{value}"'
        seen.add(value)


def _of_amounts(resources: Object, field: str) -> Iterator[str]:
    for resource in _WHOLE_BYTES:
        for key in ("limits", "requests"):
            text = dig(resources, key, resource)
            if text is not None and quantity.parse(text) % 1:
                words = f'fractional byte value "{text}" is invalid, must be an integer'
                yield f"{field}.{key}[{resource}]: {words}"


def _of_environment(variables: Sequence[Object], field: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, one in enumerate(variables):
        name, value = one.get("name") or "", one.get("value") or ""
        itself = f"$({name})"
        is_lost = one.get("valueFrom") is not None or value == itself or itself not in value
        if name in seen and is_lost:
            words = f'hides previous definition of "{name}", which may be dropped when using apply'
            yield f"{field}[{index}]: {words}"
        seen.add(name)


def _of_ports(ports: Sequence[tuple[str, Object]]) -> Iterator[str]:
    taken: dict[tuple[object, object], list[tuple[str, Object]]] = {}
    for where, port in ports:
        others = taken.setdefault((port.get("containerPort"), port.get("protocol")), [])
        for elsewhere, other in others:
            how = _clash(port, other)
            if how:
                yield f"{where}: {how} port definition with {elsewhere}"
        others.append((where, port))


def _clash(port: Object, other: Object) -> str:
    hosts = [(one.get("hostIP") or "", one.get("hostPort") or 0) for one in (port, other)]
    (address, number), (address_before, number_before) = hosts
    if hosts[0] == hosts[1]:
        return "duplicate"
    if not number or not number_before:
        return "overlapping"
    is_open = bool(address) != bool(address_before)
    return "dangerously ambiguous" if number == number_before and is_open else ""


def _of_port_names(ports: Sequence[tuple[str, Object]]) -> Iterator[str]:
    first: dict[str, str] = {}
    for where, port in ports:
        name = port.get("name")
        if name in first:
            yield (
                f'{where}: duplicate port name "{name}" with {first[name]}, services and probes '
                f"that select ports by name will use {first[name]}"
            )
        elif name:
            first[name] = where


def _of_affinity(affinity: Object, field: str) -> Iterator[str]:
    for key, inner in _TERMS.items():
        for index, one in enumerate(affinity.get(key) or ()):
            if dig(one, *inner, "labelSelector") is None:
                yield f"{'.'.join((f'{field}.{key}[{index}]', *inner))}.labelSelector: {_NO_POD}"


def _of_service(service: Object) -> Iterator[str]:
    spec = service.get("spec") or {}
    kind, outer = spec.get("type"), spec.get("externalIPs")
    is_headless = kind == "ClusterIP" and spec.get("clusterIP") == "None"
    if is_headless:
        if spec.get("loadBalancerIP"):
            yield "spec.loadBalancerIP is ignored for headless services"
        if outer:
            yield "spec.externalIPs is ignored for headless services"
        if spec.get("sessionAffinity") != "None":
            yield "spec.SessionAffinity is ignored for headless services"
    elif outer and kind != "ExternalName":
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    elif outer:
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if kind != "ExternalName" and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'


_IN_SPEC: Final = ("spec", "template")
_TEMPLATES: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("", "Pod"): (),
    ("", "PodTemplate"): ("template",),
    ("", "ReplicationController"): _IN_SPEC,
    ("apps", "Deployment"): _IN_SPEC,
    ("apps", "ReplicaSet"): _IN_SPEC,
    ("apps", "StatefulSet"): _IN_SPEC,
    ("apps", "DaemonSet"): _IN_SPEC,
    ("batch", "Job"): _IN_SPEC,
    ("batch", "CronJob"): ("spec", "jobTemplate", *_IN_SPEC),
}
"""Where each kind keeps its pod template."""
