"""Whom an agent believes to be the hub: a file beside its kubeconfig, which can be followed."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import msgspec

from oneco.fleet.rights import ROOT_AUTHORITY
from oneco.integrations.x509 import certificates
from oneco.kube.api import Api
from oneco.kube.errors import ApiError
from oneco.kube.objects import dig
from oneco.kube.refs import Address, Resource
from oneco.main.telling import Say
from oneco.worlds.cluster import kubeconfig
from oneco.worlds.cluster.target import Target
from oneco.worlds.embedded.private_files import write_private

_CONFIG_MAPS = Resource("", "v1", "configmaps")


class Files(Protocol):
    """Where an agent keeps what it knows of its hub."""

    @property
    def kubeconfig(self) -> Path:
        """How the hub is reached."""
        ...

    @property
    def authority(self) -> Path:
        """Whom to believe, PEM."""
        ...

    @property
    def invited(self) -> Path:
        """Whom the invitation said to believe, PEM."""
        ...


def pem(target: Target) -> bytes:
    """The authorities that a kubeconfig names."""
    authority = target.cluster.authority
    if authority.data or not authority.file:
        return authority.data
    return Path(authority.file).read_bytes()


def known(files: Files, present: Target) -> tuple[bytes, ...]:
    """The authorities by which an invitation is known as one of the present hub's."""
    invited = (files.invited.read_bytes(),) if files.invited.exists() else ()
    return (pem(present), *invited)


def beside(text: str, files: Files) -> str:
    """The kubeconfig with its authority in a file of its own: one that changes is read again."""
    content = msgspec.yaml.decode(text)
    place = content["clusters"][0]["cluster"]
    if place.pop("certificate-authority-data", None):
        place["certificate-authority"] = files.authority.name
    return msgspec.yaml.encode(content).decode()


def settle(files: Files) -> None:
    """Put the authority into its own file, where the kubeconfig of before held it itself."""
    present = kubeconfig.load(str(files.kubeconfig)).cluster.authority
    if not present.data:
        return
    for path in (files.authority, files.invited):
        write_private(path, present.data)
    text = beside(files.kubeconfig.read_text(), files)
    write_private(files.kubeconfig, text.encode())


async def follow(files: Files, hub: Api, say: Say) -> bool:
    """Believe whom the hub names, if that goes on from whom we believe; True if one is new."""
    if not files.authority.exists():
        return False
    namespace = kubeconfig.load(str(files.kubeconfig)).namespace
    try:
        told = await hub.get(Address(_CONFIG_MAPS, namespace, ROOT_AUTHORITY))
    except ApiError:
        return False
    content = str(dig(told, "data", "ca.crt", default="")).encode()
    present, wanted = _certificates(files.authority.read_bytes()), _certificates(content)
    # A hub behind something that shows a certificate of its own names another authority there.
    if not present & wanted or present == wanted:
        return False
    write_private(files.authority, content)
    is_new = bool(wanted - present)
    if is_new:
        say("the hub has a new authority; the certificate is renewed by it")
    return is_new


def _certificates(content: bytes) -> frozenset[bytes]:
    try:
        return frozenset(certificates.encoded(content))
    except ValueError:
        return frozenset()
