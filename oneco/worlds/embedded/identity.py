"""Who asks: users as certificates and tokens name them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

ADMINISTRATORS = "system:masters"
AUTHENTICATED = "system:authenticated"
BOOTSTRAP = "system:bootstrappers"
JOIN_PREFIX = f"{BOOTSTRAP}:oneco:"
"""A token whose user is in the group of this prefix and a cluster's name joins that cluster."""
SPENT = "onepersoncompany:spent-tokens"
"""The one group of a user whose token has led to a certificate."""
RESERVED = frozenset({"default", "kube-system", "kube-public", "kube-node-lease", "oneco-system"})
"""Namespaces of the hub itself: a cluster called like one of them would reach into it."""
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
    if parts[0] in RESERVED:
        return ""
    own = set(user.groups) - {AUTHENTICATED}
    return parts[0] if own == {AGENT_PREFIX + parts[0], AGENTS} else ""


def clusters_to_join(user: User) -> frozenset[str]:
    """The clusters that the token of `user` is bound to; none where it is bound to none."""
    bound = (group for group in user.groups if group.startswith(JOIN_PREFIX))
    return frozenset(group.removeprefix(JOIN_PREFIX) for group in bound)
