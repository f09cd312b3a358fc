"""`gateway`: an Ingress, and the Service that it leads to."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from oneco.definitions import health
from oneco.definitions.components.webservice import service
from oneco.definitions.plain import given
from oneco.delivery.ports import Context, Definition, Output, Parameters, Rendered
from oneco.kinds.oam import COMPONENT_LABEL
from oneco.kube.objects import Object


class GatewayParameters(Parameters, frozen=True, kw_only=True):
    """Which paths of a domain lead to which ports; `name` allows several on one component."""

    http: dict[str, int]
    domain: str | None = None
    class_: str = msgspec.field(name="class", default="nginx")
    class_in_spec: bool = False
    secret_name: str | None = None
    gateway_host: str | None = None
    name: str | None = None
    path_type: Literal["ImplementationSpecific", "Prefix", "Exact"] = "ImplementationSpecific"
    annotations: dict[str, str] | None = None
    labels: dict[str, str] | None = None
    existing_service_name: str | None = None


def _render(parameters: GatewayParameters, context: Context, workload: Object) -> Rendered:
    suffix = f"-{parameters.name}" if parameters.name is not None else ""
    name = context.component + suffix
    service_name = parameters.existing_service_name or name
    outputs: list[Output] = []
    if parameters.existing_service_name is None:
        ports = [
            {"name": f"port-{port}", "port": port, "targetPort": port}
            # Several paths may lead to one port.
            for port in dict.fromkeys(port for _, port in sorted(parameters.http.items()))
        ]
        spec = {"selector": {COMPONENT_LABEL: context.component}, "ports": ports}
        outputs.append(Output(f"service{suffix}", service(service_name, spec)))
    outputs.append(Output(f"ingress{suffix}", _ingress(parameters, name, service_name)))
    return Rendered(workload, tuple(outputs))


def _ingress(parameters: GatewayParameters, name: str, service_name: str) -> dict[str, Any]:
    annotations = dict(parameters.annotations or {})
    if not parameters.class_in_spec:
        annotations["kubernetes.io/ingress.class"] = parameters.class_
    if parameters.gateway_host is not None:
        annotations["ingress.controller/host"] = parameters.gateway_host
    paths = [
        {
            "path": path,
            "pathType": parameters.path_type,
            "backend": {"service": {"name": service_name, "port": {"number": port}}},
        }
        for path, port in sorted(parameters.http.items())
    ]
    metadata = given(
        name=name, annotations=annotations or None, labels=dict(parameters.labels or {}) or None
    )
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata,
        "spec": given(
            ingressClassName=parameters.class_ if parameters.class_in_spec else None,
            tls=_tls(parameters),
            rules=[given(host=parameters.domain, http={"paths": paths})],
        ),
    }


def _tls(parameters: GatewayParameters) -> list[dict[str, Any]] | None:
    if parameters.secret_name is None:
        return None
    hosts = [parameters.domain] if parameters.domain is not None else None
    return [given(hosts=hosts, secretName=parameters.secret_name)]


DEFINITION = Definition(
    name="gateway",
    family="trait",
    description="Web traffic from outside, by an Ingress.",
    parameters=GatewayParameters,
    render=_render,
    reads=health.reads,
)
