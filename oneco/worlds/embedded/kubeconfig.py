"""Kubeconfig files with everything in them."""

from __future__ import annotations

import base64
from pathlib import Path

import msgspec

from oneco.worlds.embedded.authority import Credential
from oneco.worlds.embedded.private_files import write_private


def kubeconfig(
    *, name: str, url: str, authority: bytes, credential: Credential | None = None, token: str = ""
) -> str:
    """The text of a kubeconfig for one server; the one who asks shows a certificate or a token."""
    user: dict[str, str] = {}
    if credential is not None:
        user["client-certificate-data"] = _base64(credential.certificate)
        user["client-key-data"] = _base64(credential.key)
    if token:
        user["token"] = token
    cluster = {"server": url, "certificate-authority-data": _base64(authority)}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return msgspec.yaml.encode(content).decode()


def write_kubeconfig(path: Path, text: str) -> None:
    """Put a kubeconfig in place, readable by its owner alone."""
    write_private(path, text.encode())


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
