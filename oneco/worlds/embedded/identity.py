"""Who asks: users as certificates and tokens name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from oneco.kube.errors import BadRequest
from oneco.kube.rbac import SUPERUSERS, Asked, User

ADMINISTRATORS = SUPERUSERS
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
BOOTSTRAP = "system:bootstrappers"
AGENT_PREFIX = "system:open-cluster-management:"
AGENTS = "system:open-cluster-management:managed-clusters"
ANONYMOUS = User("system:anonymous", (UNAUTHENTICATED,))
_ACCOUNT = "system:serviceaccount:"
_EXTRA = "impersonate-extra-"


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


def clusters_of_agent(user: User) -> frozenset[str]:
    """The clusters that a certificate makes `user` an agent of: none for anybody else."""
    if AGENTS not in user.groups:
        return frozenset()
    own = (group for group in user.groups if group.startswith(AGENT_PREFIX) and group != AGENTS)
    return frozenset(group.removeprefix(AGENT_PREFIX) for group in own)


class Impersonation:
    """Somebody asks as somebody else, by the headers that Kubernetes has for it."""

    def __init__(self, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self._name, self._groups, self._uid = "", list[str](), ""
        self._extra: list[tuple[str, str]] = []
        for raw, value in headers:
            field, text = raw.decode("latin-1"), value.decode("latin-1")
            if field == "impersonate-user":
                self._name = text
            elif field == "impersonate-group":
                self._groups.append(text)
            elif field == "impersonate-uid":
                self._uid = text
            elif field.startswith(_EXTRA):
                self._extra.append((unquote(field.removeprefix(_EXTRA)), text))

    def acts(self) -> Sequence[Asked]:
        """What one has to be allowed for this."""
        if not self._name:
            raise BadRequest("requested groups, a uid or extra without impersonating a user")
        namespace, account = _account(self._name)
        if account:
            found = [Asked("impersonate", "", "serviceaccounts", "", namespace, account)]
        else:
            found = [Asked("impersonate", "", "users", name=self._name)]
        found += (Asked("impersonate", "", "groups", name=group) for group in self._groups)
        group = "authentication.k8s.io"
        found += (
            Asked("impersonate", group, "userextras", key, name=value) for key, value in self._extra
        )
        if self._uid:
            found.append(Asked("impersonate", group, "uids", name=self._uid))
        return found

    def user(self) -> User:
        """Who asks then."""
        groups = list(self._groups)
        namespace, account = _account(self._name)
        if account and not groups:
            groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
        if self._name == ANONYMOUS.name:
            added = [] if UNAUTHENTICATED in groups else [UNAUTHENTICATED]
        else:
            added = [] if {AUTHENTICATED, UNAUTHENTICATED} & set(groups) else [AUTHENTICATED]
        return User(self._name, (*groups, *added))


def is_impersonating(headers: Mapping[str, str]) -> bool:
    """Whether the headers ask for somebody else's rights."""
    return any(name.startswith("impersonate-") for name in headers)


def _account(user: str) -> tuple[str, str]:
    """The namespace and name of a service account's user name; empty for any other user."""
    namespace, _, name = user.removeprefix(_ACCOUNT).partition(":")
    is_account = user.startswith(_ACCOUNT) and namespace and name and ":" not in name
    return (namespace, name) if is_account else ("", "")
