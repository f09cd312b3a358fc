"""The volumes of a component: the present form (`volumeMounts`) and the older one (`volumes`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from oneco.definitions.plain import given, plain
from oneco.delivery.ports import Parameters
from oneco.errors import Refused

OWNER_READS_AND_WRITES = 0o644
EVERYBODY_DOES_ALL = 0o777


class KeyFile(Parameters, frozen=True, kw_only=True):
    """One key of a ConfigMap or Secret as a file."""

    key: str
    path: str
    mode: int = EVERYBODY_DOES_ALL


class Mount(Parameters, frozen=True, kw_only=True):
    """Where a volume appears in the container."""

    name: str
    mount_path: str
    sub_path: str | None = None


class ClaimMount(Mount, frozen=True, kw_only=True):
    """A PersistentVolumeClaim that exists."""

    claim_name: str


class ConfigMapMount(Mount, frozen=True, kw_only=True):
    """A ConfigMap that exists."""

    cm_name: str
    default_mode: int = OWNER_READS_AND_WRITES
    items: tuple[KeyFile, ...] | None = None


class SecretMount(Mount, frozen=True, kw_only=True):
    """A Secret that exists."""

    secret_name: str
    default_mode: int = OWNER_READS_AND_WRITES
    items: tuple[KeyFile, ...] | None = None


class EmptyMount(Mount, frozen=True, kw_only=True):
    """Scratch space that lives as long as the pod."""

    medium: Literal["", "Memory"] = ""


class HostMount(Mount, frozen=True, kw_only=True):
    """A directory of the node."""

    path: str


class VolumeMounts(Parameters, frozen=True, kw_only=True):
    """All volumes of a component, by kind."""

    pvc: tuple[ClaimMount, ...] = ()
    config_map: tuple[ConfigMapMount, ...] = ()
    secret: tuple[SecretMount, ...] = ()
    empty_dir: tuple[EmptyMount, ...] = ()
    host_path: tuple[HostMount, ...] = ()


class OldVolume(Parameters, frozen=True, kw_only=True):
    """A volume in the older form, where its type says which of the fields belong to it."""

    name: str
    mount_path: str
    type: Literal["pvc", "configMap", "secret", "emptyDir"] = "emptyDir"
    claim_name: str | None = None
    cm_name: str | None = None
    secret_name: str | None = None
    default_mode: int = OWNER_READS_AND_WRITES
    items: tuple[KeyFile, ...] | None = None
    medium: Literal["", "Memory"] = ""


def render(mounts: VolumeMounts) -> tuple[list[Any], list[Any]]:
    """The container's volumeMounts and the pod's volumes."""
    every: list[Mount] = [
        *mounts.pvc,
        *mounts.config_map,
        *mounts.secret,
        *mounts.empty_dir,
        *mounts.host_path,
    ]
    # One volume may be mounted at several paths.
    volumes = {one.name: one for one in reversed(every)}
    places = [given(mountPath=one.mount_path, subPath=one.sub_path, name=one.name) for one in every]
    order = dict.fromkeys(one.name for one in every)
    return places, [{"name": name, **_source(volumes[name])} for name in order]


def _source(mount: Mount) -> dict[str, Any]:
    if isinstance(mount, ClaimMount):
        return {"persistentVolumeClaim": {"claimName": mount.claim_name}}
    if isinstance(mount, ConfigMapMount):
        files = _files(mount.items)
        return {"configMap": {"defaultMode": mount.default_mode, "name": mount.cm_name, **files}}
    if isinstance(mount, SecretMount):
        files = _files(mount.items)
        return {
            "secret": {"defaultMode": mount.default_mode, "secretName": mount.secret_name, **files}
        }
    if isinstance(mount, EmptyMount):
        return {"emptyDir": {"medium": mount.medium}}
    assert isinstance(mount, HostMount), mount
    return {"hostPath": {"path": mount.path}}


def _files(items: Sequence[KeyFile] | None) -> dict[str, Any]:
    return {} if items is None else {"items": plain(items)}


def render_old(volumes: Sequence[OldVolume]) -> tuple[list[Any], list[Any]]:
    """The container's volumeMounts and the pod's volumes, of the older form."""
    places = [{"mountPath": one.mount_path, "name": one.name} for one in volumes]
    return places, [
        {"name": one.name, **_old_source(one, f"volumes[{position}]")}
        for position, one in enumerate(volumes)
    ]


def _old_source(volume: OldVolume, where: str) -> dict[str, Any]:
    files = _files(volume.items)
    if volume.type == "pvc":
        return {
            "persistentVolumeClaim": {"claimName": _needed(volume.claim_name, where, "claimName")}
        }
    if volume.type == "configMap":
        name = _needed(volume.cm_name, where, "cmName")
        return {"configMap": {"defaultMode": volume.default_mode, "name": name, **files}}
    if volume.type == "secret":
        name = _needed(volume.secret_name, where, "secretName")
        return {"secret": {"defaultMode": volume.default_mode, "secretName": name, **files}}
    return {"emptyDir": {"medium": volume.medium}}


def _needed(value: str | None, where: str, field: str) -> str:
    if value is None:
        raise Refused(
            f"{where}.{field}", found="nothing", wanted="a string; this type of volume needs it"
        )
    return value
