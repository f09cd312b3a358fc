"""Bearer tokens: those that Secrets of kube-system hold, and those of service accounts."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import time
from collections.abc import Callable, Sequence
from typing import Final

from oneco.kube import times
from oneco.kube.objects import Object, dig
from oneco.kube.rbac import User
from oneco.worlds.apiserver.rights import Identity
from oneco.worlds.apiserver.store import Key, Store
from oneco.worlds.embedded.accounts import ISSUER, Accounts
from oneco.worlds.embedded.identity import AUTHENTICATED, BOOTSTRAP

SECRET_TYPE: Final = "bootstrap.kubernetes.io/token"
USER_PREFIX: Final = "system:bootstrap:"
_GROUP: Final = re.compile(rf"{BOOTSTRAP}:[a-z0-9:-]{{0,255}}[a-z0-9]")


class Tokens:
    """Every token that one server knows; they expire in real time, as certificates do."""

    def __init__(
        self, store: Store, accounts: Accounts, now: Callable[[], float] = time.time
    ) -> None:
        self._store, self._accounts, self._now = store, accounts, now

    def identify(self, token: str, audiences: Sequence[str] = ()) -> Identity | None:
        """Whose token this is, or None for one that is not valid."""
        if token.count(".") == 2:
            return self._accounts.identify(token, audiences)
        user = self._bootstrap(token)
        if user is None or (audiences and ISSUER not in audiences):
            return None
        return Identity(user, audiences=(ISSUER,))

    def issue(self, account: Object, request: Object) -> Object:
        """The answered TokenRequest of a service account."""
        return self._accounts.issue(account, request)

    def _bootstrap(self, token: str) -> User | None:
        token_id, _, secret = token.partition(".")
        stored = self._stored(token_id)
        if stored is None or not _is_same(_text(stored, "token-secret"), secret):
            return None
        if _text(stored, "token-id") != token_id or self._is_over(stored):
            return None
        if _text(stored, "usage-bootstrap-authentication") != "true":
            return None
        listed = _text(stored, "auth-extra-groups")
        extra = listed.split(",") if listed else []
        if not all(map(_GROUP.fullmatch, extra)):
            return None
        return User(USER_PREFIX + token_id, (BOOTSTRAP, *extra, AUTHENTICATED))

    def _stored(self, token_id: str) -> Object | None:
        if not (len(token_id) == 6 and token_id.isascii() and token_id.isalnum()):
            return None
        found = self._store.get(Key("/secrets", "kube-system", f"bootstrap-token-{token_id}"))
        return found if found is not None and found.get("type") == SECRET_TYPE else None

    def _is_over(self, secret: Object) -> bool:
        if dig(secret, "metadata", "deletionTimestamp"):
            return True
        written = _text(secret, "expiration")
        if not written:
            return False
        try:
            return times.from_text(written) <= self._now()
        except ValueError:
            # A date that nobody can read must not make a token that lives for ever.
            return True


def _is_same(stored: str, shown: str) -> bool:
    return bool(stored) and hmac.compare_digest(stored.encode(), shown.encode())


def _text(secret: Object, key: str) -> str:
    try:
        return base64.b64decode(dig(secret, "data", key, default="")).decode("ascii")
    except (binascii.Error, ValueError):
        return ""
