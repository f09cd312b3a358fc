"""`env`: environment variables of one or several containers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from oneco.definitions.pods import change_container, container_name, find_container, pod_path
from oneco.delivery.ports import Context, Definition, Parameters, Rendered
from oneco.errors import Refused
from oneco.kube.objects import Object


class ContainerEnv(Parameters, frozen=True, kw_only=True):
    """The variables of one container; `replace` drops those it has already."""

    container_name: str = ""
    replace: bool = False
    env: Mapping[str, str] = {}
    unset: tuple[str, ...] = ()


class EnvParameters(ContainerEnv, frozen=True, kw_only=True):
    """The variables of the component's container, or of each in `containers`."""

    containers: tuple[ContainerEnv, ...] | None = None


def _render(parameters: EnvParameters, context: Context, workload: Object) -> Rendered:
    path = pod_path(workload, "env")
    if parameters.containers is None:
        name = container_name(parameters.container_name, context)
        position = find_container(workload, path, name, "containerName")
        return Rendered(
            change_container(workload, path, position, lambda one: _changed(one, parameters))
        )
    for index, each in enumerate(parameters.containers):
        where = f"containers[{index}].containerName"
        if not each.container_name:
            raise Refused(where, found="nothing", wanted="the name of a container")
        position = find_container(workload, path, each.container_name, where)
        workload = change_container(workload, path, position, _change(each))
    return Rendered(workload)


def _change(parameters: ContainerEnv) -> Any:
    return lambda container: _changed(container, parameters)


def _changed(container: Object, parameters: ContainerEnv) -> Object:
    held: Sequence[Object] = container.get("env") or ()
    values, unset = parameters.env, frozenset(parameters.unset)
    kept = [] if parameters.replace else [one for one in held if one.get("name") not in unset]
    names = {one.get("name") for one in kept}
    env = [
        {"name": one["name"], "value": values[one["name"]]} if one.get("name") in values else one
        for one in kept
    ]
    added = sorted(key for key in values if key not in names and key not in unset)
    return {**container, "env": [*env, *({"name": key, "value": values[key]} for key in added)]}


DEFINITION = Definition(
    name="env",
    family="trait",
    description="Environment variables of containers.",
    parameters=EnvParameters,
    render=_render,
)
