"""Where an API server is and how both sides prove who they are, once a kubeconfig was read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

InteractiveMode = Literal["Never", "IfAvailable", "Always"]

# Whatever may hold a secret is kept out of repr, so that no log can show it by accident.


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """PEM text that stands in a file or in the kubeconfig itself; the latter wins."""

    file: str = ""
    data: bytes = dataclasses.field(default=b"", repr=False)

    def __bool__(self) -> bool:
        return bool(self.file or self.data)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ExecPlugin:
    """A program that prints a credential: `client.authentication.k8s.io`."""

    where: str
    command: str
    api_version: str
    arguments: tuple[str, ...] = dataclasses.field(default=(), repr=False)
    environment: tuple[tuple[str, str], ...] = dataclasses.field(default=(), repr=False)
    interactive_mode: InteractiveMode = "IfAvailable"
    provide_cluster_info: bool = False
    install_hint: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """How we prove who we are."""

    where: str = ""
    certificate: Material = Material()
    key: Material = Material()
    token: str = dataclasses.field(default="", repr=False)
    token_file: str = ""
    exec_plugin: ExecPlugin | None = None
    impersonation: tuple[tuple[str, str], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where the API server is and how it proves who it is."""

    where: str = ""
    server: str
    authority: Material = Material()
    insecure: bool = False
    server_name: str = ""
    proxy_url: str = dataclasses.field(default="", repr=False)
    disable_compression: bool = False
    exec_config: Mapping[str, Any] | None = dataclasses.field(default=None, repr=False)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One API server as one user; `namespace` is the context's own, if it names one."""

    cluster: Cluster
    user: User = User()
    namespace: str = ""
    context: str = ""
