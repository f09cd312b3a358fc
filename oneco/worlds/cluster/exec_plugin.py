"""Asking a credential program who we are: `client.authentication.k8s.io` v1 and v1beta1."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import os
import sys
from typing import Any

import msgspec

from oneco.clock import Instant
from oneco.kube import times
from oneco.kube.errors import Unauthorized
from oneco.worlds.cluster.target import Cluster, ExecPlugin

# Some programs open a browser and wait for a person.
PATIENCE_SECONDS = 300.0


@dataclasses.dataclass(frozen=True, slots=True)
class Credential:
    """What goes with a request: a bearer token, a client certificate, or neither."""

    token: str = dataclasses.field(default="", repr=False)
    certificate: bytes = dataclasses.field(default=b"", repr=False)
    key: bytes = dataclasses.field(default=b"", repr=False)
    expires_at: Instant | None = None


class _Status(msgspec.Struct, rename="camel"):
    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: str | None = None


class _ExecCredential(msgspec.Struct, rename="camel"):
    api_version: str = ""
    kind: str = ""
    status: _Status | None = None


async def run(plugin: ExecPlugin, cluster: Cluster) -> Credential:
    """The credential that the program prints; Unauthorized, without its output, if it does not.

    What the program says on standard error goes to ours, as with kubectl: it is meant for people.
    """
    interactive = _is_interactive(plugin)
    environment = {**os.environ, **dict(plugin.environment)}
    environment["KUBERNETES_EXEC_INFO"] = _info(plugin, cluster, interactive)
    try:
        process = await asyncio.create_subprocess_exec(
            plugin.command,
            *plugin.arguments,
            env=environment,
            stdin=None if interactive else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise _failed(plugin, f"cannot be started: {reason}", plugin.install_hint) from None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError:
        raise _failed(plugin, f"did not answer in {PATIENCE_SECONDS:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise _failed(plugin, f"ended with status {process.returncode}")
    return _credential(plugin, output)


def _is_interactive(plugin: ExecPlugin) -> bool:
    has_person = sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()
    if plugin.interactive_mode == "Always" and not has_person:
        raise _failed(plugin, "asks for a person, and standard input is not a terminal")
    return has_person and plugin.interactive_mode != "Never"


def _info(plugin: ExecPlugin, cluster: Cluster, interactive: bool) -> str:
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.provide_cluster_info:
        authority = cluster.authority.data
        if cluster.authority.file and not authority:
            try:
                with open(cluster.authority.file, "rb") as file:
                    authority = file.read()
            except OSError as error:
                raise _failed(plugin, f"needs the cluster's authority: {error.strerror}") from None
        said = {
            "server": cluster.server,
            "tls-server-name": cluster.server_name,
            "insecure-skip-tls-verify": cluster.insecure,
            "certificate-authority-data": base64.b64encode(authority).decode(),
            "proxy-url": cluster.proxy_url,
            "disable-compression": cluster.disable_compression,
            "config": cluster.exec_config,
        }
        spec["cluster"] = {key: value for key, value in said.items() if value}
    body = {"kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": spec}
    return msgspec.json.encode(body).decode()


def _credential(plugin: ExecPlugin, output: bytes) -> Credential:
    try:
        answer = msgspec.json.decode(output, type=_ExecCredential)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _failed(plugin, "printed something that is not an ExecCredential") from None
    if answer.kind != "ExecCredential" or answer.api_version != plugin.api_version:
        raise _failed(plugin, f"printed no ExecCredential of {plugin.api_version}")
    status = answer.status or _Status()
    certificate, key = status.client_certificate_data, status.client_key_data
    if bool(certificate) != bool(key):
        raise _failed(plugin, "printed a certificate without its key, or a key without one")
    if not status.token and not certificate:
        raise _failed(plugin, "printed neither a token nor a client certificate")
    try:
        expires_at = times.from_text(status.expiration_timestamp or "1970-01-01T00:00:00Z")
    except ValueError:
        raise _failed(plugin, "printed an expirationTimestamp that is no time") from None
    return Credential(
        token=status.token,
        certificate=certificate.encode(),
        key=key.encode(),
        expires_at=expires_at if status.expiration_timestamp else None,
    )


def _failed(plugin: ExecPlugin, what: str, hint: str = "") -> Unauthorized:
    sentence = f'{plugin.where}: the credential program "{plugin.command}" {what}'
    return Unauthorized(f"{sentence}\n{hint.strip()}" if hint else sentence)
