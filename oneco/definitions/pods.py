"""Changes inside the pod template of a workload, for traits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oneco.delivery.ports import Context
from oneco.errors import Refused
from oneco.kube.objects import Object, dig, put

_LISTS = ("env", "volumeMounts", "volumeDevices")
_TEMPLATES = (("spec", "jobTemplate", "spec", "template", "spec"), ("spec", "template", "spec"))


def pod_path(workload: Object, trait: str) -> tuple[str, ...]:
    """Where the pod's spec stands in `workload`; Refused if it makes no pods."""
    for path in _TEMPLATES:
        pod = dig(workload, *path)
        if _is_pod(pod):
            return path
    raise Refused(
        "",
        found=f"a {workload.get('kind')}",
        wanted=f"a workload with a pod template: trait {trait} changes its containers",
    )


def _is_pod(pod: object) -> bool:
    """Whether the lists that traits change are there, and lists of maps."""
    if not isinstance(pod, Mapping) or not pod.get("containers"):
        return False
    containers = pod["containers"]
    return (
        _are_maps(containers)
        and _are_maps(pod.get("volumes"))
        and all(_are_maps(one.get(field)) for one in containers for field in _LISTS)
        and all(isinstance(one.get("resources") or {}, Mapping) for one in containers)
    )


def _are_maps(items: object) -> bool:
    return items is None or (
        isinstance(items, list) and all(isinstance(one, Mapping) for one in items)
    )


def change_container(
    workload: Object, path: Sequence[str], position: int, change: Callable[[Object], Object]
) -> Object:
    """`workload` with `change` made to one container of the pod spec at `path`."""
    containers = list(dig(workload, *path, "containers"))
    containers[position] = change(containers[position])
    return put(workload, (*path, "containers"), containers)


def find_container(workload: Object, path: Sequence[str], name: str, where: str) -> int:
    """The position of the container called `name`; Refused tells which there are."""
    names = [one.get("name") for one in dig(workload, *path, "containers")]
    if name not in names:
        known = ", ".join(str(one) for one in names)
        raise Refused(where, found=name, wanted=f"the name of a container: {known}")
    return names.index(name)


def container_name(given: str, context: Context) -> str:
    """The container that a trait means: the one it names, or the component's own."""
    return given or context.component


def merge_by_name(
    base: Sequence[Mapping[str, Any]] | None,
    added: Sequence[Mapping[str, Any]],
    *,
    is_replacing: bool = False,
) -> list[Any]:
    """`base` with the items of `added` merged into those of the same name, others appended."""
    held = base or ()
    known = {one.get("name") for one in held}
    changes = {one.get("name"): one for one in added if one.get("name") in known}
    merged: list[Any] = []
    for one in held:
        change = changes.get(one.get("name"))
        merged.append(one if change is None else change if is_replacing else {**one, **change})
    return merged + [one for one in added if one.get("name") not in known]
