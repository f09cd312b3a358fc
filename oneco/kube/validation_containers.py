"""What an API server refuses about the containers of a pod."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from oneco.kube import causes, names, quantity
from oneco.kube import validation_rules as rules
from oneco.kube.errors import Cause
from oneco.kube.objects import Json, Object, dig

_PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
_PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
_MESSAGE_POLICIES: Final = ("File", "FallbackToLogsOnError")
_SOURCES: Final = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_STANDARD_RESOURCES: Final = ("cpu", "memory", "ephemeral-storage")
_ENVIRONMENT_WORDS: Final = (
    "a valid environment variable name must consist only of printable ASCII characters other "
    "than '='"
)
_NO_HANDLER: Final = "must specify a handler type"

_ONLY_BESIDE: Final = "may not be set for init containers without restartPolicy=Always"


def validate_containers(
    containers: Sequence[Object], field: str, volumes: Collection[str]
) -> list[Cause]:
    """What is wrong with the containers at `field`, which may mount `volumes`."""
    found = []
    seen_names: set[str] = set()
    for index, container in enumerate(containers):
        where = f"{field}[{index}]"
        name = container.get("name") or ""
        if name and name in seen_names:
            found.append(causes.duplicate(f"{where}.name", name))
        else:
            found += rules.required_text(container, where, "name", names.label_faults)
        seen_names.add(name)
        found += _validate_container(container, where, volumes)
    return found + list(_repeated_host_ports(containers, field))


def validate_init_containers(
    containers: Sequence[Object], taken: Collection[str], field: str, volumes: Collection[str]
) -> list[Cause]:
    """What is wrong with the containers that run first, beside others whose names are `taken`."""
    found = []
    names_before = set(taken)
    for index, container in enumerate(containers):
        where, name = f"{field}[{index}]", container.get("name") or ""
        policy = container.get("restartPolicy")
        found += rules.required_text(container, where, "name", names.label_faults)
        found += _validate_container(container, where, volumes, is_alone=policy != "Always")
        found += rules.one_of(policy, f"{where}.restartPolicy", ("Always", "Never", "OnFailure"))
        if name in names_before:
            found.append(causes.duplicate(f"{where}.name", name))
        elif name:
            names_before.add(name)
        # They run one by one; the server counts each as the first.
        found += _repeated_host_ports([container], field)
        if policy != "Always":
            found += [
                causes.forbidden(f"{where}.{key}", _ONLY_BESIDE)
                for key in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
                if container.get(key) is not None
            ]
    return found


def validate_probes(container: Object, field: str) -> list[Cause]:
    """What is wrong with the probes and hooks of one container."""
    found = []
    for key in ("postStart", "preStop"):
        hook = dig(container, "lifecycle", key)
        if hook is not None:
            found += _validate_handler(hook, f"{field}.lifecycle.{key}")
    for key in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(key)
        if probe is not None:
            found += _validate_probe(probe, f"{field}.{key}", must_be_one=key != "readinessProbe")
    return found


def _validate_container(
    container: Object, field: str, volumes: Collection[str], *, is_alone: bool = False
) -> list[Cause]:
    found = _validate_image(container.get("image") or "", f"{field}.image")
    policy = container.get("terminationMessagePolicy")
    found += rules.one_of(policy, f"{field}.terminationMessagePolicy", _MESSAGE_POLICIES)
    found += _validate_ports(container.get("ports") or (), f"{field}.ports")
    found += _validate_environment(container.get("env") or (), f"{field}.env")
    found += _validate_environment_sources(container.get("envFrom") or (), f"{field}.envFrom")
    mounts = container.get("volumeMounts") or ()
    found += _validate_mounts(mounts, f"{field}.volumeMounts", volumes)
    pull_policy = container.get("imagePullPolicy")
    found += rules.one_of(pull_policy, f"{field}.imagePullPolicy", _PULL_POLICIES)
    found += _validate_resources(container.get("resources") or {}, f"{field}.resources")
    user = dig(container, "securityContext", "runAsUser", default=0)
    if not 0 <= user <= 2**31 - 1:
        words = "must be between 0 and 2147483647, inclusive"
        found.append(causes.invalid(f"{field}.securityContext.runAsUser", user, words))
    return found if is_alone else found + validate_probes(container, field)


def _validate_image(image: str, field: str) -> list[Cause]:
    if not image:
        return [causes.required(field)]
    if image != image.strip():
        return [causes.invalid(field, image, "must not have leading or trailing whitespace")]
    return []


def _validate_ports(ports: Sequence[Object], field: str) -> list[Cause]:
    found = []
    seen_names: set[str] = set()
    for index, port in enumerate(ports):
        where, name = f"{field}[{index}]", port.get("name") or ""
        if name:
            faults = rules.text(name, f"{where}.name", rules.port_name_faults)
            if not faults and name in seen_names:
                faults = [causes.duplicate(f"{where}.name", name)]
            seen_names.add(name)
            found += faults
        if not port.get("containerPort"):
            found.append(causes.required(f"{where}.containerPort"))
        else:
            found += rules.port_number(port["containerPort"], f"{where}.containerPort")
        if port.get("hostPort"):
            found += rules.port_number(port["hostPort"], f"{where}.hostPort")
        found += rules.one_of(port.get("protocol"), f"{where}.protocol", _PROTOCOLS)
    return found


def _repeated_host_ports(containers: Sequence[Object], field: str) -> Iterator[Cause]:
    yield from rules.duplicates(
        (
            f"{field}[{index}].ports[{at}].hostPort",
            f"{port.get('protocol') or 'TCP'}/{port.get('hostIP') or ''}/{port['hostPort']}",
        )
        for index, container in enumerate(containers)
        for at, port in enumerate(container.get("ports") or ())
        if port.get("hostPort")
    )


def _validate_environment(variables: Sequence[Object], field: str) -> list[Cause]:
    found = []
    for index, variable in enumerate(variables):
        where, name = f"{field}[{index}]", variable.get("name") or ""
        if not name:
            found.append(causes.required(f"{where}.name"))
        elif not all(" " <= letter <= "~" and letter != "=" for letter in name):
            found.append(causes.invalid(f"{where}.name", name, _ENVIRONMENT_WORDS))
        source = variable.get("valueFrom")
        if source is not None:
            found += _validate_source(variable, source, f"{where}.valueFrom")
    return found


def _validate_source(variable: Object, source: Object, field: str) -> list[Cause]:
    given = [key for key in _SOURCES if source.get(key) is not None]
    if not given:
        listed = "`, `".join(_SOURCES[:-1])
        words = f"must specify one of: `{listed}` or `{_SOURCES[-1]}`"
        return [causes.invalid(field, "", words)]
    found = []
    for key in ("configMapKeyRef", "secretKeyRef"):
        if key in given:
            where = f"{field}.{key}"
            found += rules.required_text(source[key], where, "name")
            found += rules.required_text(source[key], where, "key", rules.config_key_faults)
    if variable.get("value"):
        found.append(causes.invalid(field, "", "may not be specified when `value` is not empty"))
    elif len(given) > 1:
        words = "may not have more than one field specified at a time"
        found.append(causes.invalid(field, "", words))
    return found


def _validate_environment_sources(sources: Sequence[Object], field: str) -> list[Cause]:
    found = []
    for index, source in enumerate(sources):
        given = [key for key in ("configMapRef", "secretRef") if source.get(key) is not None]
        if not given:
            words = "must specify one of: `configMapRef` or `secretRef`"
            found.append(causes.invalid(field, "", words))
        elif len(given) > 1:
            words = "may not have more than one field specified at a time"
            found.append(causes.invalid(field, "", words))
        for key in given:
            where = f"{field}[{index}].{key}"
            found += rules.required_text(source[key], where, "name", names.subdomain_faults)
    return found


def _validate_mounts(mounts: Sequence[Object], field: str, volumes: Collection[str]) -> list[Cause]:
    found = []
    seen_paths: set[str] = set()
    for index, mount in enumerate(mounts):
        where, name = f"{field}[{index}]", mount.get("name") or ""
        if not name:
            found.append(causes.required(f"{where}.name"))
        if name not in volumes:
            found.append(causes.not_found(f"{where}.name", name))
        path = mount.get("mountPath") or ""
        if not path:
            found.append(causes.required(f"{where}.mountPath"))
        elif path in seen_paths:
            found.append(causes.invalid(f"{where}.mountPath", path, "must be unique"))
        seen_paths.add(path)
        # The server names this field without the index.
        found += _validate_inner_path(mount.get("subPath") or "", f"{field}.subPath")
    return found


def _validate_inner_path(path: str, field: str) -> list[Cause]:
    if path.startswith("/"):
        return [causes.invalid(field, path, "must be a relative path")]
    if ".." in path.split("/"):
        return [causes.invalid(field, path, "must not contain '..'")]
    return []


def _validate_probe(probe: Object, field: str, *, must_be_one: bool) -> list[Cause]:
    found = _validate_handler(probe, field)
    found += rules.not_negative(
        probe,
        field,
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    )
    threshold = probe.get("successThreshold") or 1
    if must_be_one and threshold > 1:
        found.append(causes.invalid(f"{field}.successThreshold", threshold, "must be 1"))
    return found


def _validate_handler(handler: Object, field: str) -> list[Cause]:
    given = [key for key in _HANDLERS if handler.get(key) is not None]
    if not given:
        return [causes.required(field, _NO_HANDLER)]
    found = [
        causes.forbidden(f"{field}.{key}", "may not specify more than 1 handler type")
        for key in given[1:]
    ]
    first = given[0]
    return found + _validate_one_handler(first, handler[first], f"{field}.{first}")


def _validate_one_handler(name: str, handler: Object, field: str) -> list[Cause]:
    if name == "exec":
        return [] if handler.get("command") else [causes.required(f"{field}.command")]
    if name == "sleep":
        return []
    found = rules.port(handler.get("port"), f"{field}.port")
    if name == "httpGet":
        found += rules.one_of(handler.get("scheme"), f"{field}.scheme", ("HTTP", "HTTPS"))
    return found


def _validate_resources(resources: Object, field: str) -> list[Cause]:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    found = _validate_amounts(limits, f"{field}.limits")
    found += _validate_amounts(requests, f"{field}.requests")
    for name, request in requests.items():
        where, limit = f"{field}.requests", limits.get(name)
        if limit is not None and quantity.compare(request, limit) > 0:
            words = f"must be less than or equal to {name} limit of {quantity.canonical(limit)}"
            found.append(causes.invalid(where, quantity.canonical(request), words))
        elif limit is None and _is_extended(name):
            words = "Limit must be set for non overcommitable resources"
            found.append(causes.required(f"{field}.limits", words))
    return found


def _validate_amounts(amounts: Mapping[str, Json], field: str) -> list[Cause]:
    found = []
    for name, value in amounts.items():
        where = f"{field}[{name}]"
        if "/" not in name and name not in _STANDARD_RESOURCES and not _is_huge_page(name):
            for words in (
                "must be a standard resource type or fully qualified",
                "must be a standard resource for containers",
            ):
                found.append(causes.invalid(where, name, words))
        number = quantity.parse(value)
        if number < 0:
            found.append(causes.invalid(where, quantity.canonical(value), rules.NOT_NEGATIVE))
        if _is_extended(name) and number.denominator != 1:
            found.append(causes.invalid(where, quantity.canonical(value), "must be an integer"))
    return found


def _is_extended(name: str) -> bool:
    return "/" in name and not name.startswith("kubernetes.io/")


def _is_huge_page(name: str) -> bool:
    return name.startswith("hugepages-")
