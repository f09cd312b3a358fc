"""`resource`: what the container asks for and how much it may use at most."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from oneco.definitions.plain import given, plain
from oneco.definitions.pods import change_container, pod_path
from oneco.delivery.ports import Context, Definition, Parameters, Rendered
from oneco.kube.objects import Object, dig

_SIZE = r"^([1-9][0-9]{0,63})(E|P|T|G|M|K|Ei|Pi|Ti|Gi|Mi|Ki)$"
Memory = Annotated[str, Meta(pattern=_SIZE, description='A size such as "512Mi".')]


class Amount(Parameters, frozen=True, kw_only=True):
    """An amount of processor and memory."""

    cpu: str | int | float = 1
    memory: Memory = "2048Mi"


class ResourceParameters(Parameters, frozen=True, kw_only=True):
    """`cpu` and `memory` set requests and limits alike, unless these are given themselves."""

    cpu: str | int | float | None = None
    memory: Memory | None = None
    requests: Amount | None = None
    limits: Amount | None = None


def _render(parameters: ResourceParameters, context: Context, workload: Object) -> Rendered:
    path = pod_path(workload, "resource")
    wanted: dict[str, Any] = {}
    if parameters.requests is not None:
        wanted["requests"] = plain(parameters.requests)
    if parameters.limits is not None:
        wanted["limits"] = plain(parameters.limits)
    both = given(cpu=parameters.cpu, memory=parameters.memory)
    if not wanted and both:
        wanted = {"requests": both, "limits": both}

    def change(container: Object) -> Object:
        held = dig(container, "resources", default={})
        merged = {key: {**(held.get(key) or {}), **amount} for key, amount in wanted.items()}
        return {**container, "resources": {**held, **merged}}

    return Rendered(change_container(workload, path, 0, change) if wanted else workload)


DEFINITION = Definition(
    name="resource",
    family="trait",
    description="Requests and limits of the component's container.",
    parameters=ResourceParameters,
    render=_render,
)
