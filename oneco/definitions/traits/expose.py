"""`expose`: a Service in front of a component."""

from __future__ import annotations

from typing import Any

from oneco.definitions import health
from oneco.definitions.components.webservice import Protocol, ServiceType, port_name, service
from oneco.definitions.plain import given
from oneco.delivery.ports import Context, Definition, Output, Parameters, Rendered
from oneco.kinds.oam import COMPONENT_LABEL
from oneco.kube.objects import Object


class Port(Parameters, frozen=True, kw_only=True):
    """One port of the Service."""

    port: int
    name: str | None = None
    protocol: Protocol = "TCP"
    node_port: int | None = None


class ExposeParameters(Parameters, frozen=True, kw_only=True):
    """The ports of the Service; `port` is the older form of `ports`.

    `http` comes from Applications of the first days and has no effect, as in KubeVela.
    """

    port: tuple[int, ...] | None = None
    ports: tuple[Port, ...] | None = None
    http: dict[str, int] | None = None
    annotations: dict[str, str] | None = None
    match_labels: dict[str, str] | None = None
    type: ServiceType = "ClusterIP"


def _render(parameters: ExposeParameters, context: Context, workload: Object) -> Rendered:
    ports = _ports(parameters)
    if not ports:
        # A Service without ports is refused by every API server.
        return Rendered(workload)
    selector = parameters.match_labels or {COMPONENT_LABEL: context.component}
    spec = {"selector": selector, "ports": ports, "type": parameters.type}
    made = service(context.component, spec)
    if parameters.annotations:
        made["metadata"]["annotations"] = parameters.annotations
    return Rendered(workload, (Output("service", made),))


def _ports(parameters: ExposeParameters) -> list[dict[str, Any]]:
    if parameters.ports is None:
        return [
            {"name": f"port-{one}", "port": one, "targetPort": one} for one in parameters.port or ()
        ]
    return [
        given(
            port=one.port,
            targetPort=one.port,
            name=port_name(one.port, one.name, one.protocol),
            nodePort=one.node_port if parameters.type == "NodePort" else None,
            protocol=one.protocol,
        )
        for one in parameters.ports
    ]


DEFINITION = Definition(
    name="expose",
    family="trait",
    description="A Service in front of the component.",
    parameters=ExposeParameters,
    render=_render,
    reads=health.reads_service,
    is_after_workload=True,
)
