"""`worker`: a long-running container that nobody calls, as a Deployment."""

from __future__ import annotations

from oneco.definitions import health
from oneco.definitions.components.containers import ContainerParameters, deployment
from oneco.delivery.ports import Context, Definition, Rendered


class WorkerParameters(ContainerParameters, frozen=True, kw_only=True):
    """The parameters of a worker."""


def _render(parameters: WorkerParameters, context: Context) -> Rendered:
    return Rendered(deployment(parameters, context))


DEFINITION = Definition(
    name="worker",
    family="component",
    description="A long-running container that works in the background and is never called.",
    parameters=WorkerParameters,
    render=_render,
    reads=health.reads,
    workload_type="deployments.apps",
)
