"""Who asks: users as certificates and tokens name them."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from pathlib import Path

import msgspec

from oneco.worlds.embedded.private_files import write_private

ADMINISTRATORS = "system:masters"
AUTHENTICATED = "system:authenticated"
BOOTSTRAP = "system:bootstrappers"
AGENT_PREFIX = "system:open-cluster-management:"
AGENTS = "system:open-cluster-management:managed-clusters"


@dataclasses.dataclass(frozen=True, slots=True)
class User:
    """A name and the groups that it is in."""

    name: str
    groups: Sequence[str] = ()

    @property
    def is_anonymous(self) -> bool:
        """Whether nothing proved who this is."""
        return self.name == ANONYMOUS.name


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


def from_certificate(peer: object) -> User | None:
    """Who a verified certificate names, in the form that `ssl.SSLSocket.getpeercert` gives."""
    if not isinstance(peer, dict):
        return None
    name, groups = "", []
    for parts in peer.get("subject", ()):
        for kind, value in parts:
            if kind == "commonName":
                name = value
            elif kind == "organizationName":
                groups.append(value)
    return User(name, (*groups, AUTHENTICATED)) if name else None


def cluster_of_agent(user: User) -> str:
    """The cluster whose agent `user` is, empty for anybody else.

    The whole name and the groups have to fit, never a prefix: `c1` must not pass for `c10`, nor
    `a:b` for `a`.
    """
    parts = user.name.removeprefix(AGENT_PREFIX).split(":")
    if not user.name.startswith(AGENT_PREFIX) or len(parts) != 2 or not all(parts):
        return ""
    own = set(user.groups) - {AUTHENTICATED}
    return parts[0] if own == {AGENT_PREFIX + parts[0], AGENTS} else ""


class _StoredToken(msgspec.Struct, frozen=True):
    user: str
    groups: tuple[str, ...]
    digest: str


class Tokens:
    """Bearer tokens by id; the file holds only digests, so reading it gives nobody access.

    A token is `ID.SECRET`, as Kubernetes' bootstrap tokens are.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stored: dict[str, _StoredToken] = {}
        if path.exists():
            self._stored = msgspec.json.decode(path.read_bytes(), type=dict[str, _StoredToken])

    def issue_bootstrap(self) -> str:
        """A new token with which an agent may ask to join."""
        token_id, secret = secrets.token_hex(3), secrets.token_hex(8)
        user = f"system:bootstrap:{token_id}"
        self._stored[token_id] = _StoredToken(user, (BOOTSTRAP,), _digest(secret))
        self._save()
        return f"{token_id}.{secret}"

    def revoke(self, token_id: str) -> None:
        """End a token; one that does not exist has ended already."""
        if self._stored.pop(token_id, None) is not None:
            self._save()

    def user(self, token: str) -> User | None:
        """Whose token this is, or None for one that is not valid."""
        token_id, _, secret = token.partition(".")
        stored = self._stored.get(token_id)
        if stored is None or not hmac.compare_digest(stored.digest, _digest(secret)):
            return None
        return User(stored.user, (*stored.groups, AUTHENTICATED))

    def _save(self) -> None:
        write_private(self._path, msgspec.json.encode(self._stored))


def _digest(secret: str) -> str:
    # A random secret of 64 bits: a slow hash would protect nothing more.
    return hashlib.sha256(secret.encode()).hexdigest()
