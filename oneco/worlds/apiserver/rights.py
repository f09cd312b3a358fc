"""What an API server asks about those who ask it: who they are, and what they may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from oneco.kube import rbac
from oneco.kube.objects import Object
from oneco.kube.rbac import Asked, Rules, User, Verdict
from oneco.worlds.apiserver.writes import Request


class Identity(NamedTuple):
    """Whom a token names."""

    user: User
    uid: str = ""
    extra: Mapping[str, Sequence[str]] = {}
    audiences: Sequence[str] = ()


class Rights(Protocol):
    """The answers of one server, which go by its objects and its keys."""

    def verdict(self, user: User, asked: Asked) -> Verdict:
        """Whether `user` may do what is asked."""
        ...

    def rules(self, user: User, namespace: str) -> Rules | None:
        """What `user` may do in `namespace`; None where everybody may do everything."""
        ...

    def guard(self, request: Request, old: Object | None, new: Object) -> None:
        """Raise Forbidden if the content of the write is not for the one who writes."""
        ...

    def identify(self, token: str, audiences: Sequence[str]) -> Identity | None:
        """Whose token this is, None for one that is nobody's or for none of `audiences`."""
        ...

    def token(self, account: Object, request: Object) -> Object:
        """The answered TokenRequest of a service account."""
        ...


class Everything:
    """Everybody may do everything, and nobody shows a token: a cluster in memory."""

    def verdict(self, user: User, asked: Asked) -> Verdict:
        return Verdict(True)

    def rules(self, user: User, namespace: str) -> Rules | None:
        return None

    def guard(self, request: Request, old: Object | None, new: Object) -> None:
        return

    def identify(self, token: str, audiences: Sequence[str]) -> Identity | None:
        return None

    def token(self, account: Object, request: Object) -> Object:
        return {**request, "status": {"token": "", "expirationTimestamp": None}}


EVERYTHING = Everything()
SUPERUSER = User("system:apiserver", (rbac.SUPERUSERS,))
