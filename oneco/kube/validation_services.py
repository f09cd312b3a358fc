"""What an API server refuses about Services, Ingresses and endpoints."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Final

from oneco.kube import causes, names, selectors
from oneco.kube import validation_rules as rules
from oneco.kube.errors import Cause
from oneco.kube.objects import Object, dig

_TYPES: Final = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
_PATH_TYPES: Final = ("Exact", "ImplementationSpecific", "Prefix")
_ADDRESS_WORDS: Final = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_WILDCARD: Final = rf"\*\.{_LABEL}(\.{_LABEL})*"
_WILDCARD_WORDS: Final = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which "
    "must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric "
    f"character (e.g. '*.example.com', regex used for validation is '{_WILDCARD}')"
)


def validate_service(obj: Object) -> list[Cause]:
    """What is wrong with a Service."""
    spec = obj.get("spec") or {}
    kind = spec.get("type") or "ClusterIP"
    ports = spec.get("ports") or ()
    found = []
    if not ports and kind != "ExternalName" and spec.get("clusterIP") != "None":
        found.append(causes.required("spec.ports"))
    found += _validate_type(spec, kind)
    found += _validate_service_ports(ports, kind)
    found += names.validate_labels(spec.get("selector"), "spec.selector")
    affinity = spec.get("sessionAffinity")
    found += rules.one_of(affinity, "spec.sessionAffinity", ("ClientIP", "None"))
    found += rules.one_of(spec.get("type"), "spec.type", _TYPES)
    for index, address in enumerate(spec.get("externalIPs") or ()):
        found += rules.text(address, f"spec.externalIPs[{index}]", _address_faults)
    policy = spec.get("internalTrafficPolicy")
    found += rules.one_of(policy, "spec.internalTrafficPolicy", ("Cluster", "Local"))
    return found + _validate_external_policy(spec, kind)


def validate_ingress(obj: Object) -> list[Cause]:
    """What is wrong with an Ingress."""
    spec = obj.get("spec") or {}
    default, ruled = spec.get("defaultBackend"), spec.get("rules") or ()
    found = []
    if default is None and not ruled:
        words = "either `defaultBackend` or `rules` must be specified"
        found.append(causes.invalid("spec", None, words))
    for index, tls in enumerate(spec.get("tls") or ()):
        for at, host in enumerate(tls.get("hosts") or ()):
            found += rules.text(host, f"spec.tls[{index}].hosts[{at}]", _host_faults)
    for index, rule in enumerate(ruled):
        found += _validate_rule(rule, f"spec.rules[{index}]")
    if default is not None:
        found += _validate_backend(default, "spec.defaultBackend")
    if spec.get("ingressClassName"):
        name = spec["ingressClassName"]
        found += rules.text(name, "spec.ingressClassName", names.subdomain_faults)
    return found


def validate_endpoint_slice(obj: Object) -> list[Cause]:
    """What is wrong with an EndpointSlice."""
    kind = obj.get("addressType") or ""
    found = []
    if not kind:
        found.append(causes.required("addressType"))
    return found + rules.one_of(kind or None, "addressType", ("FQDN", "IPv4", "IPv6"))


def validate_network_policy(obj: Object) -> list[Cause]:
    """What is wrong with a NetworkPolicy."""
    spec = obj.get("spec") or {}
    found = selectors.validate(spec.get("podSelector") or {}, "spec.podSelector")
    for index, kind in enumerate(spec.get("policyTypes") or ()):
        found += rules.one_of(kind, f"spec.policyTypes[{index}]", ("Ingress", "Egress"))
    return found


def _validate_type(spec: Object, kind: str) -> list[Cause]:
    address = spec.get("clusterIP") or ""
    where = "spec.clusterIPs[0]"
    if kind == "ExternalName":
        name = spec.get("externalName") or ""
        if not name:
            return [causes.required("spec.externalName")]
        return rules.text(name.removesuffix("."), "spec.externalName", names.subdomain_faults)
    if address == "None":
        if kind in ("LoadBalancer", "NodePort"):
            words = f"may not be set to 'None' for {kind} services"
            return [causes.invalid(where, address, words)]
        return []
    return rules.text(address, where, _address_faults) if address else []


def _validate_service_ports(ports: Sequence[Object], kind: str) -> list[Cause]:
    found = []
    seen: set[tuple[object, ...]] = set()
    seen_names: set[str] = set()
    for index, port in enumerate(ports):
        where, name = f"spec.ports[{index}]", port.get("name") or ""
        if not name and len(ports) > 1:
            found.append(causes.required(f"{where}.name"))
        elif name and name in seen_names:
            found.append(causes.duplicate(f"{where}.name", name))
        elif name:
            found += rules.text(name, f"{where}.name", names.label_faults)
        seen_names.add(name)
        found += _validate_service_port(port, where, kind)
        key = (port.get("protocol") or "TCP", port.get("port"))
        if key in seen:
            found.append(causes.duplicate(where, _shown_port(port)))
        seen.add(key)
    return found


def _shown_port(port: Object) -> Object:
    """What tells one port from another, in the server's own notation."""
    protocol, number = port.get("protocol") or "TCP", port.get("port") or 0
    return {
        "Name": "", "Protocol": protocol, "AppProtocol": None, "Port": number, "TargetPort": 0,
        "NodePort": 0,
    }  # fmt: skip


def _validate_service_port(port: Object, field: str, kind: str) -> list[Cause]:
    found = rules.port_number(port.get("port"), f"{field}.port")
    found += rules.one_of(port.get("protocol"), f"{field}.protocol", _PROTOCOLS)
    target = port.get("targetPort")
    found += rules.port(
        port.get("port") if target in (None, 0, "") else target, f"{field}.targetPort"
    )
    if port.get("nodePort") and kind in ("ClusterIP", "ExternalName"):
        words = f"may not be used when `type` is '{kind}'"
        found.append(causes.forbidden(f"{field}.nodePort", words))
    return found


def _validate_external_policy(spec: Object, kind: str) -> list[Cause]:
    policy = spec.get("externalTrafficPolicy")
    if not policy:
        return []
    if kind not in ("LoadBalancer", "NodePort") and not spec.get("externalIPs"):
        words = "may only be set for externally-accessible services"
        return [causes.invalid("spec.externalTrafficPolicy", policy, words)]
    return rules.one_of(policy, "spec.externalTrafficPolicy", ("Cluster", "Local"))


def _validate_rule(rule: Object, field: str) -> list[Cause]:
    host, http = rule.get("host") or "", rule.get("http")
    found = []
    if host:
        if _is_address(host):
            words = "must be a DNS name, not an IP address"
            found.append(causes.invalid(f"{field}.host", host, words))
        else:
            found += rules.text(host, f"{field}.host", _host_faults)
    if http is None:
        return found
    paths = http.get("paths") or ()
    if not paths:
        found.append(causes.required(f"{field}.http.paths"))
    for index, path in enumerate(paths):
        found += _validate_path(path, f"{field}.http.paths[{index}]")
    return found


def _validate_path(path: Object, field: str) -> list[Cause]:
    kind, text = path.get("pathType"), path.get("path") or ""
    found = []
    if kind is None:
        found.append(causes.required(f"{field}.pathType", "pathType must be specified"))
    else:
        found += rules.one_of(kind, f"{field}.pathType", _PATH_TYPES)
    if kind in ("Exact", "Prefix") and not text.startswith("/"):
        found.append(causes.invalid(f"{field}.path", text, "must be an absolute path"))
    return found + _validate_backend(path.get("backend") or {}, f"{field}.backend")


def _validate_backend(backend: Object, field: str) -> list[Cause]:
    service, resource = backend.get("service"), backend.get("resource")
    if service is None and resource is None:
        return [causes.invalid(field, "", "resource or service backend is required")]
    if service is not None and resource is not None:
        return [causes.invalid(field, "", "cannot set both resource and service backends")]
    if service is None:
        return []
    found = rules.required_text(service, f"{field}.service", "name", names.label_faults)
    name, number = dig(service, "port", "name"), dig(service, "port", "number")
    if name and number:
        found.append(causes.invalid(field, "", "cannot set both port name & port number"))
    elif name:
        found += rules.text(name, f"{field}.service.port.name", rules.port_name_faults)
    elif number:
        found += rules.port_number(number, f"{field}.service.port.number")
    else:
        found.append(causes.required(field, "port name or number is required"))
    return found


def _host_faults(host: str) -> list[str]:
    if "*" not in host:
        return names.subdomain_faults(host)
    return [] if re.fullmatch(_WILDCARD, host) else [_WILDCARD_WORDS]


def _address_faults(text: str) -> list[str]:
    return [] if _is_address(text) else [_ADDRESS_WORDS]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
