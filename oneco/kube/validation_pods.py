"""What an API server refuses about pods and about the templates that pods are made from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from oneco.kube import causes, names, selectors
from oneco.kube import validation_rules as rules
from oneco.kube.errors import Cause
from oneco.kube.objects import Json, Object, dig
from oneco.kube.validation_containers import validate_containers, validate_init_containers

_RESTART_POLICIES: Final = ("Always", "OnFailure", "Never")
_DNS_POLICIES: Final = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_SPREAD_ACTIONS: Final = ("DoNotSchedule", "ScheduleAnyway")
_OUTER_VOLUME_NAMES: Final = frozenset({"name"})
_UPDATE_WORDS: Final = (
    "pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set "
    "to 1 if it was previously negative)"
)
# One template is validated again with every change beside it, and by every cluster it goes to.
_sound_specs: dict[int, Object] = {}
_REMEMBERED: Final = 4096


def validate_pod(pod: Object) -> list[Cause]:
    """What is wrong with a pod."""
    return validate_spec(pod.get("spec") or {}, "spec")


def validate_spec(spec: Object, field: str) -> list[Cause]:
    """What is wrong with the pod specification at `field`."""
    if _sound_specs.get(id(spec)) is spec:
        return []
    found = _spec_faults(spec, field)
    if not found:
        if len(_sound_specs) >= _REMEMBERED:
            _sound_specs.clear()
        _sound_specs[id(spec)] = spec
    return found


def _spec_faults(spec: Object, field: str) -> list[Cause]:
    volumes = spec.get("volumes") or ()
    found = _validate_volumes(volumes, f"{field}.volumes")
    mountable = {
        volume.get("name") or "" for volume in volumes if not _validate_volume_source(volume, "")
    }
    found += _validate_all_containers(spec, field, mountable)
    found += rules.one_of(spec.get("restartPolicy"), f"{field}.restartPolicy", _RESTART_POLICIES)
    found += rules.one_of(spec.get("dnsPolicy"), f"{field}.dnsPolicy", _DNS_POLICIES)
    found += names.validate_labels(spec.get("nodeSelector"), f"{field}.nodeSelector")
    found += _validate_required_nodes(spec, f"{field}.affinity")
    constraints = spec.get("topologySpreadConstraints") or ()
    found += _validate_spread(constraints, f"{field}.topologySpreadConstraints")
    found += _validate_names(spec, field, "serviceAccountName", "nodeName")
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= 2**31 - 1:
        words = "must be between 1 and 2147483647, inclusive"
        found.append(causes.invalid(f"{field}.activeDeadlineSeconds", deadline, words))
    found += _validate_names(spec, field, "hostname", "subdomain")
    found += _validate_tolerations(spec.get("tolerations") or (), f"{field}.tolerations")
    return found + _validate_names(spec, field, "priorityClassName")


def _validate_names(spec: Object, field: str, *keys: str) -> list[Cause]:
    found: list[Cause] = []
    for key in keys:
        if spec.get(key):
            found += rules.text(spec[key], f"{field}.{key}", _NAMES[key])
    return found


def validate_template(
    template: Object, field: str, selector: Object | None, *, is_job: bool = False
) -> list[Cause]:
    """What is wrong with the pod template at `field`, which `selector` must match."""
    meta, spec = template.get("metadata") or {}, template.get("spec") or {}
    found = [] if is_job else _validate_match(meta, field, selector)
    found += _template_faults(template, field)
    policy = spec.get("restartPolicy")
    where = f"{field}.spec.restartPolicy"
    if is_job:
        if policy not in ("OnFailure", "Never"):
            found.append(causes.required(where, 'valid values: "OnFailure", "Never"'))
    elif policy in ("OnFailure", "Never"):
        found.append(causes.unsupported(where, policy, ["Always"]))
    return found


def validate_pod_template(obj: Object) -> list[Cause]:
    """What is wrong with a PodTemplate."""
    return _template_faults(obj.get("template") or {}, "template")


def _template_faults(template: Object, field: str) -> list[Cause]:
    meta = template.get("metadata") or {}
    # The server names these two fields without `metadata`.
    found = names.validate_labels(meta.get("labels"), f"{field}.labels")
    for key in meta.get("annotations") or ():
        found += rules.text(key, f"{field}.annotations", lambda one: names.key_faults(one.lower()))
    return found + validate_spec(template.get("spec") or {}, f"{field}.spec")


def validate_pod_update(pod: Object, old: Object) -> list[Cause]:
    """What is wrong with changing the pod `old` to `pod`."""
    spec, before = pod.get("spec") or {}, old.get("spec") or {}
    if spec is before:
        return []
    for key in ("containers", "initContainers"):
        if len(spec.get(key) or ()) != len(before.get(key) or ()):
            words = "pod updates may not add or remove containers"
            return [causes.forbidden(f"spec.{key}", words)]
    gates, old_gates = spec.get("schedulingGates") or (), before.get("schedulingGates") or ()
    if any(gate not in old_gates for gate in gates):
        words = "only deletion is allowed, but found new scheduling gate"
        return [causes.forbidden("spec.schedulingGates", words)]
    if _without_mutable(spec, gated=bool(old_gates)) == _without_mutable(
        before, gated=bool(old_gates)
    ):
        return _validate_added_tolerations(spec, before)
    return [causes.forbidden("spec", _UPDATE_WORDS)]


def _validate_match(meta: Object, field: str, selector: Object | None) -> list[Cause]:
    labels = meta.get("labels")
    if selector is not None and (
        selectors.validate(selector) or selectors.from_object(selector).matches(labels)
    ):
        return []
    words = "`selector` does not match template `labels`"
    return [causes.invalid(f"{field}.metadata.labels", labels, words)]


def _validate_all_containers(spec: Object, field: str, volumes: Collection[str]) -> list[Cause]:
    containers = spec.get("containers") or ()
    found = (
        validate_containers(containers, f"{field}.containers", volumes)
        if containers
        else [causes.required(f"{field}.containers")]
    )
    found += validate_init_containers(
        spec.get("initContainers") or (),
        {container.get("name") or "" for container in containers},
        f"{field}.initContainers",
        volumes,
    )
    return found + _validate_host_ports(spec, field)


def _validate_host_ports(spec: Object, field: str) -> list[Cause]:
    if not spec.get("hostNetwork"):
        return []
    words = "must match `containerPort` when `hostNetwork` is true"
    return [
        causes.invalid(f"{field}.containers[{index}].ports[{at}].hostPort", port["hostPort"], words)
        for index, container in enumerate(spec.get("containers") or ())
        for at, port in enumerate(container.get("ports") or ())
        if port.get("hostPort") and port["hostPort"] != port.get("containerPort")
    ]


def _validate_volumes(volumes: Sequence[Object], field: str) -> list[Cause]:
    found = []
    seen: set[str] = set()
    for index, volume in enumerate(volumes):
        where, name = f"{field}[{index}]", volume.get("name") or ""
        found += _validate_volume_source(volume, where)
        if name and name in seen:
            found.append(causes.duplicate(f"{where}.name", name))
        else:
            found += rules.required_text(volume, where, "name", names.label_faults)
        seen.add(name)
    return found


def _validate_volume_source(volume: Object, field: str) -> list[Cause]:
    given = [key for key in volume if key not in _OUTER_VOLUME_NAMES and volume[key] is not None]
    words = "may not specify more than 1 volume type"
    ordered = sorted(given, key=lambda key: (key == "configMap", key))
    found = [causes.forbidden(f"{field}.{key}", words) for key in ordered[1:]]
    for kind, key in _REQUIRED_IN_VOLUMES:
        if kind in given and len(given) == 1 and not volume[kind].get(key):
            found.append(causes.required(f"{field}.{kind}.{key}"))
    return found


def _validate_required_nodes(spec: Object, field: str) -> list[Cause]:
    path = ("nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    required = dig(spec, "affinity", *path)
    if required is None or required.get("nodeSelectorTerms"):
        return []
    where = ".".join((field, *path, "nodeSelectorTerms"))
    return [causes.required(where, "must have at least one node selector term")]


def _validate_spread(constraints: Sequence[Object], field: str) -> list[Cause]:
    found = []
    seen: set[tuple[str, str]] = set()
    for index, one in enumerate(constraints):
        where, skew = f"{field}[{index}]", one.get("maxSkew") or 0
        key, action = one.get("topologyKey") or "", one.get("whenUnsatisfiable") or ""
        if skew <= 0:
            found.append(causes.invalid(f"{where}.maxSkew", skew, "must be greater than zero"))
        if not key:
            found.append(causes.required(f"{where}.topologyKey", "can not be empty"))
        if action not in _SPREAD_ACTIONS:
            field_name = f"{where}.whenUnsatisfiable"
            found.append(causes.unsupported(field_name, action, _SPREAD_ACTIONS))
        if (key, action) in seen:
            words = f"{{{key}, {action}}}"
            found.append(causes.duplicate(f"{where}.{{topologyKey, whenUnsatisfiable}}", words))
        seen.add((key, action))
    return found


def _validate_tolerations(tolerations: Sequence[Object], field: str) -> list[Cause]:
    found = []
    for index, one in enumerate(tolerations):
        where, operator = f"{field}[{index}]", one.get("operator") or ""
        if one.get("key"):
            found += rules.text(one["key"], f"{where}.key", names.key_faults)
        elif operator != "Exists":
            words = (
                "operator must be Exists when `key` is empty, which means "
                '"match all values and all keys"'
            )
            found.append(causes.invalid(f"{where}.operator", operator, words))
        if operator == "Exists" and one.get("value"):
            words = "value must be empty when `operator` is 'Exists'"
            found.append(causes.invalid(f"{where}.operator", one["value"], words))
        if operator:
            found += rules.one_of(operator, f"{where}.operator", ("Equal", "Exists"))
        if one.get("effect"):
            found += rules.one_of(one["effect"], f"{where}.effect", _EFFECTS)
    return found


def _without_mutable(spec: Object, *, gated: bool) -> Object:
    """`spec` without what may change while the pod lives."""
    left: dict[str, Json] = {key: part for key, part in spec.items() if key not in _MUTABLE}
    if gated:
        left = {key: part for key, part in left.items() if key not in ("nodeSelector", "affinity")}
    for key in ("containers", "initContainers"):
        left[key] = [
            {inner: part for inner, part in one.items() if inner not in ("image", "resources")}
            if one.get("image")
            else one
            for one in spec.get(key) or ()
        ]
    return left


def _validate_added_tolerations(spec: Object, before: Object) -> list[Cause]:
    kept = spec.get("tolerations") or ()
    if all(one in kept for one in before.get("tolerations") or ()):
        return []
    words = "existing toleration can not be modified except its tolerationSeconds"
    return [causes.forbidden("spec.tolerations", words)]


_MUTABLE: Final = frozenset(
    {
        "activeDeadlineSeconds",
        "tolerations",
        "terminationGracePeriodSeconds",
        "schedulingGates",
        "containers",
        "initContainers",
        "ephemeralContainers",
    }
)
_REQUIRED_IN_VOLUMES: Final = (
    ("configMap", "name"),
    ("secret", "secretName"),
    ("persistentVolumeClaim", "claimName"),
    ("hostPath", "path"),
)
_NAMES: Final[Mapping[str, Callable[[str], list[str]]]] = {
    "nodeName": names.subdomain_faults,
    "serviceAccountName": names.subdomain_faults,
    "hostname": names.label_faults,
    "subdomain": names.label_faults,
    "priorityClassName": names.subdomain_faults,
}
