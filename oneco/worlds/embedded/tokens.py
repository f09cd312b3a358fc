"""Bootstrap tokens as Kubernetes keeps them: Secrets of kube-system, each good until it expires.

A token that leads to a certificate is spent: its holder may fetch that certificate and no more.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Callable

from oneco.kube import times
from oneco.kube.api import DeleteOptions, Patch
from oneco.kube.errors import NotFound
from oneco.kube.objects import Object, annotations_of, dig, name
from oneco.kube.refs import Address, Resource
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.embedded.identity import AUTHENTICATED, BOOTSTRAP, SPENT, User

SECRET_TYPE = "bootstrap.kubernetes.io/token"
USER_PREFIX = "system:bootstrap:"
SPENT_ANNOTATION = "onepersoncompany.io/spent-on"
"""On a token's Secret: the signing request that the token was spent on."""

_NAMESPACE = "kube-system"
_NAME_PREFIX = "bootstrap-token-"
_SECRETS = Resource("", "v1", "secrets")
_GROUP_PREFIX = f"{BOOTSTRAP}:"


class BootstrapTokens:
    """The tokens of one server; they expire in real time, as certificates do."""

    def __init__(self, server: ApiServer, now: Callable[[], float] = time.time) -> None:
        self._server, self._now = server, now

    def user(self, token: str) -> User | None:
        """Whose token this is, or None for one that is not valid."""
        token_id, _, secret = token.partition(".")
        stored = self._stored(token_id)
        if stored is None or not _is_same(_text(stored, "token-secret"), secret):
            return None
        if _text(stored, "token-id") != token_id or self._is_over(stored):
            return None
        if _text(stored, "usage-bootstrap-authentication") != "true":
            return None
        if SPENT_ANNOTATION in annotations_of(stored):
            return User(USER_PREFIX + token_id, (SPENT, AUTHENTICATED))
        listed = _text(stored, "auth-extra-groups").split(",")
        extra = [group for group in map(str.strip, listed) if group.startswith(_GROUP_PREFIX)]
        return User(USER_PREFIX + token_id, (BOOTSTRAP, *extra, AUTHENTICATED))

    def spend(self, user: str, request: str) -> bool:
        """Spend the token of `user` on `request`; False where it is gone or spent on another.

        True for a user who came without a token.
        """
        if not user.startswith(USER_PREFIX):
            return True
        token_id = user.removeprefix(USER_PREFIX)
        stored = self._stored(token_id)
        if stored is None:
            return False
        spent_on = annotations_of(stored).get(SPENT_ANNOTATION)
        if spent_on is None:
            body = {"metadata": {"annotations": {SPENT_ANNOTATION: request}}}
            self._server.patch(_address(token_id), Patch("merge", body))
        return spent_on in (None, request)

    def sweep(self) -> None:
        """Remove the tokens that have expired."""
        for secret in self._server.list(Address(_SECRETS, _NAMESPACE)).items:
            if secret.get("type") == SECRET_TYPE and self._is_over(secret):
                address = Address(_SECRETS, _NAMESPACE, name(secret))
                self._server.delete(address, DeleteOptions())

    def _stored(self, token_id: str) -> Object | None:
        if not (len(token_id) == 6 and token_id.isascii() and token_id.isalnum()):
            return None
        try:
            found = self._server.get(_address(token_id))
        except NotFound:
            return None
        return found if found.get("type") == SECRET_TYPE else None

    def _is_over(self, secret: Object) -> bool:
        written = _text(secret, "expiration")
        if not written:
            return False
        try:
            return times.from_text(written) <= self._now()
        except ValueError:
            # A date that nobody can read must not make a token that lives for ever.
            return True


def _address(token_id: str) -> Address:
    return Address(_SECRETS, _NAMESPACE, _NAME_PREFIX + token_id)


def _is_same(stored: str, shown: str) -> bool:
    return bool(stored) and hmac.compare_digest(stored.encode(), shown.encode())


def _text(secret: Object, key: str) -> str:
    try:
        return base64.b64decode(dig(secret, "data", key, default="")).decode("ascii")
    except (binascii.Error, ValueError):
        return ""
