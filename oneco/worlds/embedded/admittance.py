"""Whose agents are let in: those of accepted clusters, whatever certificates there are."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Final

from oneco.kube.objects import Object, dig
from oneco.kube.rbac import User
from oneco.worlds.apiserver.store import Change, Store
from oneco.worlds.embedded.identity import clusters_of_agent, from_certificate

_CLUSTERS: Final = "cluster.open-cluster-management.io/managedclusters"


class Admittance:
    """Knows at every moment which clusters are accepted, and tells when one is not any more.

    A list of certificates that are revoked would need to know them all, and a session that is
    resumed shows none: what is asked instead is whose agent somebody is.
    """

    def __init__(self, store: Store) -> None:
        self._accepted = {
            obj["metadata"]["name"] for obj in store.scan(_CLUSTERS) if _is_accepted(obj)
        }
        self.met: dict[str, str] = {}
        """By cluster, the authority of the certificate that its agent came with last."""
        self._listeners: list[Callable[[], None]] = []
        store.on_commit(self._follow)

    def on_denied(self, listener: Callable[[], None]) -> None:
        """Call `listener` when a cluster that was accepted is denied or gone."""
        self._listeners.append(listener)

    def lets_in(self, user: User | None) -> bool:
        """Whether `user` may connect: anybody but an agent of a cluster that is not accepted."""
        return user is None or clusters_of_agent(user) <= self._accepted

    def greet(self, peer: object) -> bool:
        """Whether the holder of this certificate may connect; remembers who signed it."""
        user = from_certificate(peer)
        if not self.lets_in(user):
            return False
        for cluster in clusters_of_agent(user) if user is not None else ():
            self.met[cluster] = _issuer(peer)
        return True

    def _follow(self, change: Change) -> None:
        if change.key.collection != _CLUSTERS:
            return
        name = change.key.name
        if change.after is not None and _is_accepted(change.after):
            self._accepted.add(name)
        elif name in self._accepted:
            self._accepted.remove(name)
            for listener in self._listeners:
                listener()


def guarded(greet: Callable[[object], bool]) -> type[ssl.SSLObject]:
    """TLS that ends in the handshake where the certificate is one that is not greeted."""

    class Guarded(ssl.SSLObject):
        """One connection of this server."""

        def do_handshake(self) -> None:
            super().do_handshake()
            if not greet(self.getpeercert()):
                raise ssl.SSLCertVerificationError("an agent of a cluster that is not accepted")

    return Guarded


def _issuer(peer: object) -> str:
    parts = peer.get("issuer", ()) if isinstance(peer, dict) else ()
    return next((value for part in parts for kind, value in part if kind == "commonName"), "")


def _is_accepted(cluster: Object) -> bool:
    return dig(cluster, "spec", "hubAcceptsClient") is True
