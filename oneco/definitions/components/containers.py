"""What long-running components have in common: one container, its pod, its Deployment."""

from __future__ import annotations

from typing import Any, Literal

from oneco.definitions.components import volumes
from oneco.definitions.components.volumes import OldVolume, VolumeMounts
from oneco.definitions.plain import given, plain_or_none
from oneco.delivery.ports import Context, Parameters
from oneco.kinds.oam import COMPONENT_LABEL, NAME_LABEL
from oneco.kube.objects import Object


class KeyRef(Parameters, frozen=True, kw_only=True):
    """One key of a ConfigMap or Secret."""

    name: str
    key: str
    optional: bool | None = None


class FieldRef(Parameters, frozen=True, kw_only=True):
    """A field of the pod itself."""

    field_path: str
    api_version: str | None = None


class ResourceFieldRef(Parameters, frozen=True, kw_only=True):
    """A resource request or limit of the container itself."""

    resource: str
    container_name: str | None = None
    divisor: str | int | None = None


class ValueFrom(Parameters, frozen=True, kw_only=True):
    """Where the value of an environment variable comes from."""

    secret_key_ref: KeyRef | None = None
    config_map_key_ref: KeyRef | None = None
    field_ref: FieldRef | None = None
    resource_field_ref: ResourceFieldRef | None = None


class Variable(Parameters, frozen=True, kw_only=True):
    """One environment variable."""

    name: str
    value: str | None = None
    value_from: ValueFrom | None = None


class Command(Parameters, frozen=True, kw_only=True):
    """A probe that runs a command in the container."""

    command: tuple[str, ...]


class Header(Parameters, frozen=True, kw_only=True):
    """One header of an HTTP probe."""

    name: str
    value: str


class HttpGet(Parameters, frozen=True, kw_only=True):
    """A probe that asks over HTTP."""

    path: str
    port: int | str
    host: str | None = None
    scheme: str | None = None
    http_headers: tuple[Header, ...] | None = None


class TcpSocket(Parameters, frozen=True, kw_only=True):
    """A probe that opens a connection."""

    port: int | str
    host: str | None = None


class Grpc(Parameters, frozen=True, kw_only=True):
    """A probe that asks by the gRPC health protocol."""

    port: int
    service: str | None = None


class Probe(Parameters, frozen=True, kw_only=True):
    """How a container's health is asked for; one of the first four says how."""

    exec: Command | None = None
    http_get: HttpGet | None = None
    tcp_socket: TcpSocket | None = None
    grpc: Grpc | None = None
    initial_delay_seconds: int = 0
    period_seconds: int = 10
    timeout_seconds: int = 1
    success_threshold: int = 1
    failure_threshold: int = 3
    termination_grace_period_seconds: int | None = None


class HostAlias(Parameters, frozen=True, kw_only=True):
    """Names that a pod resolves to one address."""

    ip: str
    hostnames: tuple[str, ...]


class Limit(Parameters, frozen=True, kw_only=True):
    """The most that a container may use, where that is more than it asks for."""

    cpu: str | int | float | None = None
    memory: str | int | None = None


class ContainerParameters(Parameters, frozen=True, kw_only=True):
    """The parameters that webservice and worker share."""

    image: str
    image_pull_policy: Literal["Always", "Never", "IfNotPresent"] | None = None
    image_pull_secrets: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    env: tuple[Variable, ...] | None = None
    cpu: str | int | float | None = None
    memory: str | int | None = None
    limit: Limit | None = None
    volume_mounts: VolumeMounts | None = None
    volumes: tuple[OldVolume, ...] | None = None
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    host_aliases: tuple[HostAlias, ...] | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


def deployment(
    parameters: ContainerParameters,
    context: Context,
    *,
    ports: list[Any] | None = None,
    labels: dict[str, str] | None = None,
) -> Object:
    """The Deployment of one container; `ports` and pod `labels` are the component's own."""
    pod_labels = {
        **(parameters.labels or {}),
        **(labels or {}),
        NAME_LABEL: context.application,
        COMPONENT_LABEL: context.component,
    }
    annotations = dict(parameters.annotations) if parameters.annotations is not None else None
    template = {
        "metadata": given(labels=pod_labels, annotations=annotations),
        "spec": _pod(parameters, context, ports),
    }
    selector = {"matchLabels": {COMPONENT_LABEL: context.component}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": context.component},
        "spec": {"selector": selector, "template": template},
    }


def _pod(
    parameters: ContainerParameters, context: Context, ports: list[Any] | None
) -> dict[str, Any]:
    mounts: list[Any] | None = None
    sources: list[Any] | None = None
    if parameters.volume_mounts is not None:
        mounts, sources = volumes.render(parameters.volume_mounts)
    elif parameters.volumes is not None:
        mounts, sources = volumes.render_old(parameters.volumes)
    container = given(
        name=context.component,
        image=parameters.image,
        imagePullPolicy=parameters.image_pull_policy,
        command=_list(parameters.cmd),
        args=_list(parameters.args),
        env=plain_or_none(parameters.env),
        ports=ports,
        resources=_resources(parameters),
        volumeMounts=mounts,
        livenessProbe=plain_or_none(parameters.liveness_probe),
        readinessProbe=plain_or_none(parameters.readiness_probe),
    )
    secrets = parameters.image_pull_secrets
    return given(
        containers=[container],
        hostAliases=plain_or_none(parameters.host_aliases),
        imagePullSecrets=None if secrets is None else [{"name": name} for name in secrets],
        volumes=sources,
    )


def _resources(parameters: ContainerParameters) -> dict[str, Any] | None:
    requests = given(cpu=parameters.cpu, memory=parameters.memory)
    more = (
        given(cpu=parameters.limit.cpu, memory=parameters.limit.memory) if parameters.limit else {}
    )
    limits = requests | more
    return {"limits": limits} | ({"requests": requests} if requests else {}) if limits else None


def _list(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)
