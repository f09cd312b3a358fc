"""`webservice`: a long-running container that others call, as a Deployment and a Service."""

from __future__ import annotations

from typing import Any, Literal

from oneco.definitions import health
from oneco.definitions.components.containers import ContainerParameters, deployment
from oneco.definitions.plain import given
from oneco.delivery.ports import Context, Definition, Output, Parameters, Rendered
from oneco.kinds.oam import COMPONENT_LABEL, COMPONENT_REVISION_LABEL

Protocol = Literal["TCP", "UDP", "SCTP"]
ServiceType = Literal["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]


class Port(Parameters, frozen=True, kw_only=True):
    """One port of the container; `expose` puts it into the Service too."""

    port: int
    name: str | None = None
    protocol: Protocol = "TCP"
    expose: bool = False
    node_port: int | None = None


class WebserviceParameters(ContainerParameters, frozen=True, kw_only=True):
    """The parameters of a webservice; `port` is the older form of `ports`."""

    port: int | None = None
    ports: tuple[Port, ...] | None = None
    expose_type: ServiceType = "ClusterIP"
    add_revision_label: bool = False


def port_name(port: int, name: str | None, protocol: str) -> str:
    """The given `name`, or one made of number and protocol."""
    made = f"port-{port}" if protocol == "TCP" else f"port-{port}-{protocol.lower()}"
    return name if name is not None else made


def _render(parameters: WebserviceParameters, context: Context) -> Rendered:
    ports: list[Any] | None = None
    if parameters.ports is not None:
        ports = [
            {
                "containerPort": one.port,
                "protocol": one.protocol,
                "name": port_name(one.port, one.name, one.protocol),
            }
            for one in parameters.ports
        ]
    elif parameters.port is not None:
        ports = [{"containerPort": parameters.port}]
    # Components have no revision of their own, so the label that asks for it is empty.
    labels = {COMPONENT_REVISION_LABEL: ""} if parameters.add_revision_label else None
    workload = deployment(parameters, context, ports=ports, labels=labels)
    exposed = [
        _exposed(one, parameters.expose_type) for one in parameters.ports or () if one.expose
    ]
    if not exposed:
        return Rendered(workload)
    spec = {
        "selector": {COMPONENT_LABEL: context.component},
        "ports": exposed,
        "type": parameters.expose_type,
    }
    return Rendered(workload, (Output("webserviceExpose", service(context.component, spec)),))


def _exposed(port: Port, kind: str) -> dict[str, Any]:
    return given(
        port=port.port,
        targetPort=port.port,
        name=port_name(port.port, port.name, port.protocol),
        nodePort=port.node_port if kind == "NodePort" else None,
        protocol=port.protocol,
    )


def service(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """A Service object."""
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


DEFINITION = Definition(
    name="webservice",
    family="component",
    description="A long-running container that other parts of the system or its users call.",
    parameters=WebserviceParameters,
    render=_render,
    reads=health.reads,
    workload_type="deployments.apps",
)
