"""`scaler`: how many pods a component has."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from oneco.delivery.ports import Context, Definition, Parameters, Rendered
from oneco.errors import Refused
from oneco.kube.objects import Object, put


class ScalerParameters(Parameters, frozen=True, kw_only=True):
    """The number of pods."""

    replicas: Annotated[int, Meta(ge=0, description="How many pods.")] = 1


def _render(parameters: ScalerParameters, context: Context, workload: Object) -> Rendered:
    if not isinstance(workload.get("spec"), dict):
        wanted = "a workload: trait scaler sets its replicas"
        raise Refused("", found=f"a {workload.get('kind')}", wanted=wanted)
    return Rendered(put(workload, ("spec", "replicas"), parameters.replicas))


DEFINITION = Definition(
    name="scaler",
    family="trait",
    description="A fixed number of pods.",
    parameters=ScalerParameters,
    render=_render,
)
