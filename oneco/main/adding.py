"""Adding a cluster that the hub reaches itself: its kubeconfig becomes a Secret of the hub."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from oneco.errors import Refused
from oneco.kinds import ocm
from oneco.kube.api import Api, WriteOptions
from oneco.kube.errors import AlreadyExists
from oneco.kube.refs import Address, Resource
from oneco.main import joining, kubeconfigs
from oneco.main.connecting import Choice, connect
from oneco.main.epoch import SYSTEM_NAMESPACE

_NAMESPACES: Final = Resource("", "v1", "namespaces")
_FILES: Final = ("certificate-authority", "client-certificate", "client-key")


async def add(hub: Api, cluster: str, member: Choice, labels: Mapping[str, str]) -> str:
    """Register and accept `cluster` and run its agent in the hub; the answer is its server.

    The member is asked first, so that a kubeconfig that leads nowhere is never stored.
    """
    joining.check_name(cluster)
    text = whole(member)
    async with connect(member) as reached:
        await reached.api.discover()
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM_NAMESPACE}}
    with contextlib.suppress(AlreadyExists):
        await hub.create(Address(_NAMESPACES), space)
    secret = kubeconfigs.secret(cluster, text)
    place = Address(kubeconfigs.SECRETS, SYSTEM_NAMESPACE, secret["metadata"]["name"])
    await hub.apply(place, secret, WriteOptions(force=True))
    registered = {
        "apiVersion": ocm.CLUSTERS.api_version,
        "kind": "ManagedCluster",
        "metadata": {"name": cluster, "labels": dict(labels)},
        "spec": {"hubAcceptsClient": True},
    }
    await hub.apply(Address(ocm.CLUSTERS, "", cluster), registered, WriteOptions(force=True))
    return reached.server


def whole(choice: Choice) -> str:
    """The kubeconfig that `choice` names, with its one context and every file's content in it."""
    path = Path(choice.kubeconfig)
    try:
        content = yaml.safe_load(path.read_bytes())
    except FileNotFoundError as error:
        raise Refused("kubeconfig", found=str(path), wanted="a file that exists") from error
    except (OSError, yaml.YAMLError) as error:
        # The error's own text quotes the line, and the line may hold a token.
        raise Refused(str(path), wanted="a kubeconfig in YAML that can be read") from error
    name = choice.context or str(_part(content, "current-context") or "")
    context = _entry(content, "contexts", "context", name, str(path))
    parts = {"name": name, "context": context}
    cluster = _entry(content, "clusters", "cluster", str(context.get("cluster") or ""), str(path))
    user = _entry(content, "users", "user", str(context.get("user") or ""), str(path))
    made = {
        "apiVersion": "v1",
        "kind": "Config",
        "contexts": [parts],
        "clusters": [{"name": context["cluster"], "cluster": _inside(cluster, path.parent)}],
        "users": [{"name": context["user"], "user": _inside(user, path.parent)}],
        "current-context": name,
    }
    return msgspec.yaml.encode(made).decode()


def _entry(content: Any, field: str, inner: str, name: str, where: str) -> dict[str, Any]:
    for one in _part(content, field) or ():
        if _part(one, "name") == name and isinstance(_part(one, inner), dict):
            return dict(one[inner])
    raise Refused(f"{where}: {field}", found=name or "nothing", wanted=f"the name of a {inner}")


def _part(value: Any, field: str) -> Any:
    return value.get(field) if isinstance(value, dict) else None


def _inside(entry: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The entry with the content of files in place of their names: the hub reads no other file."""
    for field in _FILES:
        file = entry.pop(field, "")
        if file and f"{field}-data" not in entry:
            entry[f"{field}-data"] = base64.b64encode(_read(folder / file)).decode()
    token_file = entry.pop("tokenFile", "")
    if token_file:
        entry["token"] = _read(folder / token_file).decode().strip()
    return entry


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused(str(path), found=error.strerror, wanted="a file that can be read") from error
