"""`storage`: volumes of a component, and the objects behind them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from msgspec import Meta

from oneco.definitions import health
from oneco.definitions.components.volumes import OWNER_READS_AND_WRITES, KeyFile
from oneco.definitions.plain import given, plain, plain_or_none
from oneco.definitions.pods import change_container, merge_by_name, pod_path
from oneco.delivery.ports import Context, Definition, Output, Parameters, Rendered
from oneco.kube.objects import Object, dig, put

_SIZE = r"^([1-9][0-9]{0,63})(E|P|T|G|M|K|Ei|Pi|Ti|Gi|Mi|Ki)$"
Size = Annotated[str, Meta(pattern=_SIZE, description='A size such as "8Gi".')]


class StorageAmount(Parameters, frozen=True, kw_only=True):
    """An amount of storage."""

    storage: Size


class ClaimResources(Parameters, frozen=True, kw_only=True):
    """How much storage a claim asks for."""

    requests: StorageAmount | None = None
    limits: StorageAmount | None = None


class DataSource(Parameters, frozen=True, kw_only=True):
    """What a new volume is filled from."""

    name: str
    kind: str
    api_group: str


class Expression(Parameters, frozen=True, kw_only=True):
    """One requirement on labels."""

    key: str
    operator: str
    values: tuple[str, ...] | None = None


class Selector(Parameters, frozen=True, kw_only=True):
    """Which volumes a claim may bind."""

    match_labels: dict[str, str] | None = None
    match_expressions: tuple[Expression, ...] | None = None


class Claim(Parameters, frozen=True, kw_only=True):
    """A PersistentVolumeClaim, made unless `mountOnly`."""

    name: str
    mount_path: str
    mount_only: bool = False
    sub_path: str | None = None
    volume_mode: str = "Filesystem"
    volume_name: str | None = None
    access_modes: tuple[str, ...] = ("ReadWriteOnce",)
    storage_class_name: str | None = None
    resources: ClaimResources | None = None
    data_source_ref: DataSource | None = None
    data_source: DataSource | None = None
    selector: Selector | None = None


class ConfigMapVariable(Parameters, frozen=True, kw_only=True):
    """A key as an environment variable."""

    env_name: str
    config_map_key: str


class SecretVariable(Parameters, frozen=True, kw_only=True):
    """A key as an environment variable."""

    env_name: str
    secret_key: str


class Keys(Parameters, frozen=True, kw_only=True):
    """What ConfigMaps and Secrets have in common; without `mountPath` no files appear."""

    name: str
    mount_only: bool = False
    mount_path: str | None = None
    sub_path: str | None = None
    default_mode: int = OWNER_READS_AND_WRITES
    read_only: bool = False
    data: dict[str, Any] | None = None
    items: tuple[KeyFile, ...] | None = None


class ConfigMap(Keys, frozen=True, kw_only=True):
    """A ConfigMap, made unless `mountOnly`."""

    mount_to_env: ConfigMapVariable | None = None
    mount_to_envs: tuple[ConfigMapVariable, ...] = ()


class Secret(Keys, frozen=True, kw_only=True):
    """A Secret, made unless `mountOnly`."""

    string_data: dict[str, Any] | None = None
    mount_to_env: SecretVariable | None = None
    mount_to_envs: tuple[SecretVariable, ...] = ()


class Scratch(Parameters, frozen=True, kw_only=True):
    """Space that lives as long as the pod."""

    name: str
    mount_path: str
    sub_path: str | None = None
    medium: Literal["", "Memory"] = ""


HostPathType = Literal[
    "Directory",
    "DirectoryOrCreate",
    "FileOrCreate",
    "File",
    "Socket",
    "CharDevice",
    "BlockDevice",
]


class HostPath(Parameters, frozen=True, kw_only=True):
    """A path of the node."""

    name: str
    path: str
    mount_path: str
    type: HostPathType = "Directory"


class StorageParameters(Parameters, frozen=True, kw_only=True):
    """The volumes, by kind."""

    pvc: tuple[Claim, ...] = ()
    config_map: tuple[ConfigMap, ...] = ()
    secret: tuple[Secret, ...] = ()
    empty_dir: tuple[Scratch, ...] = ()
    host_path: tuple[HostPath, ...] = ()


def _render(parameters: StorageParameters, context: Context, workload: Object) -> Rendered:
    path = pod_path(workload, "storage")
    volumes: dict[str, dict[str, Any]] = {}
    for one in _volumes(parameters):
        volumes.setdefault(one["name"], one)
    env, mounts = [*_env(parameters)], [*_mounts(parameters)]
    devices = [
        given(name=f"pvc-{one.name}", devicePath=one.mount_path, subPath=one.sub_path)
        for one in parameters.pvc
        if one.volume_mode == "Block"
    ]

    def change(container: Object) -> Object:
        return {
            **container,
            "env": merge_by_name(container.get("env"), env, is_replacing=True),
            "volumeDevices": merge_by_name(container.get("volumeDevices"), devices),
            "volumeMounts": merge_by_name(container.get("volumeMounts"), mounts),
        }

    held = dig(workload, *path, "volumes")
    workload = put(workload, (*path, "volumes"), merge_by_name(held, [*volumes.values()]))
    workload = change_container(workload, path, 0, change)
    return Rendered(workload, tuple(_outputs(parameters)))


def _volumes(parameters: StorageParameters) -> Iterator[dict[str, Any]]:
    for claim in parameters.pvc:
        yield {"name": f"pvc-{claim.name}", "persistentVolumeClaim": {"claimName": claim.name}}
    for config in parameters.config_map:
        if config.mount_path is not None:
            yield {
                "name": f"configmap-{config.name}",
                "configMap": {**_files(config), "name": config.name},
            }
    for secret in parameters.secret:
        if secret.mount_path is not None:
            yield {
                "name": f"secret-{secret.name}",
                "secret": {**_files(secret), "secretName": secret.name},
            }
    for scratch in parameters.empty_dir:
        yield {"name": f"emptydir-{scratch.name}", "emptyDir": {"medium": scratch.medium}}
    for host in parameters.host_path:
        yield {
            "name": f"hostpath-{host.name}",
            "hostPath": {"path": host.path, "type": host.type},
        }


def _files(keys: Keys) -> dict[str, Any]:
    return given(defaultMode=keys.default_mode, items=plain_or_none(keys.items))


def _mounts(parameters: StorageParameters) -> Iterator[dict[str, Any]]:
    for claim in parameters.pvc:
        if claim.volume_mode == "Filesystem":
            yield _mount(f"pvc-{claim.name}", claim.mount_path, claim.sub_path)
    keyed: list[tuple[str, Keys]] = [
        *(("configmap", one) for one in parameters.config_map),
        *(("secret", one) for one in parameters.secret),
    ]
    for kind, keys in keyed:
        if keys.mount_path is not None:
            mount = _mount(f"{kind}-{keys.name}", keys.mount_path, keys.sub_path)
            yield mount | ({"readOnly": True} if keys.read_only else {})
    for scratch in parameters.empty_dir:
        yield _mount(f"emptydir-{scratch.name}", scratch.mount_path, scratch.sub_path)
    for host in parameters.host_path:
        yield _mount(f"hostpath-{host.name}", host.mount_path, None)


def _mount(name: str, path: str, sub_path: str | None) -> dict[str, Any]:
    return given(name=name, mountPath=path, subPath=sub_path)


def _env(parameters: StorageParameters) -> Iterator[dict[str, Any]]:
    # First those of the single form, then those of the list, as KubeVela orders them.
    for single in (True, False):
        for config in parameters.config_map:
            for one in _chosen(config.mount_to_env, config.mount_to_envs, single):
                ref = {"name": config.name, "key": one.config_map_key}
                yield {"name": one.env_name, "valueFrom": {"configMapKeyRef": ref}}
    for single in (True, False):
        for secret in parameters.secret:
            for each in _chosen(secret.mount_to_env, secret.mount_to_envs, single):
                ref = {"name": secret.name, "key": each.secret_key}
                yield {"name": each.env_name, "valueFrom": {"secretKeyRef": ref}}


def _chosen(one: Any, several: tuple[Any, ...], single: bool) -> tuple[Any, ...]:
    return ((one,) if one is not None else ()) if single else several


def _outputs(parameters: StorageParameters) -> Iterator[Output]:
    # A claim that is mounted twice is one claim: the first description of it holds.
    made: dict[str, Output] = {}
    for claim in parameters.pvc:
        if not claim.mount_only:
            made.setdefault(f"pvc-{claim.name}", _claim(claim))
    for config in parameters.config_map:
        if not config.mount_only:
            made.setdefault(f"configmap-{config.name}", _keys("ConfigMap", config, None))
    for secret in parameters.secret:
        if not secret.mount_only:
            made.setdefault(f"secret-{secret.name}", _keys("Secret", secret, secret.string_data))
    yield from made.values()


def _claim(claim: Claim) -> Output:
    resources: dict[str, Any] = {"requests": {"storage": "8Gi"}}
    if claim.resources is not None:
        resources |= plain(claim.resources)
    spec = given(
        accessModes=list(claim.access_modes),
        volumeMode=claim.volume_mode,
        volumeName=claim.volume_name,
        storageClassName=claim.storage_class_name,
        resources=resources,
        dataSourceRef=plain_or_none(claim.data_source_ref),
        dataSource=plain_or_none(claim.data_source),
        selector=plain_or_none(claim.selector),
    )
    return Output(
        f"pvc-{claim.name}",
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": claim.name},
            "spec": spec,
        },
    )


def _keys(kind: str, keys: Keys, string_data: dict[str, Any] | None) -> Output:
    made = {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": keys.name},
        **given(data=keys.data, stringData=string_data),
    }
    return Output(f"{kind.lower()}-{keys.name}", made)


DEFINITION = Definition(
    name="storage",
    family="trait",
    description="Volumes of the component, and the claims, ConfigMaps and Secrets behind them.",
    parameters=StorageParameters,
    render=_render,
    reads=health.reads,
)
