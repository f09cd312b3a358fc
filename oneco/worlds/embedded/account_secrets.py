"""Secrets of type `kubernetes.io/service-account-token`: filled with a token of their account.

Such a token has no end of its own: it ends with its Secret or its account.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Final

from oneco.kube import objects
from oneco.kube.api import DeleteOptions, WriteOptions
from oneco.kube.errors import ApiRefusal, Conflict, NotFound
from oneco.kube.objects import Object, dig
from oneco.kube.refs import Address, Resource
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.apiserver.store import Change, Key, Store
from oneco.worlds.embedded.accounts import ACCOUNTS, SECRETS, Accounts

SECRET_TYPE: Final = "kubernetes.io/service-account-token"
_NAME: Final = "kubernetes.io/service-account.name"
_UID: Final = "kubernetes.io/service-account.uid"
_RESOURCE: Final = Resource("", "v1", "secrets")
_MANAGER: Final = WriteOptions(manager="kube-controller-manager")


class AccountSecrets:
    """Keeps these Secrets of one server as its accounts are."""

    def __init__(
        self, server: ApiServer, store: Store, accounts: Accounts, authority: Callable[[], bytes]
    ) -> None:
        self._server, self._store, self._accounts = server, store, accounts
        self._authority = authority

    def settle_all(self) -> None:
        """Look at every Secret: what became durable before a kill may not have been seen."""
        for secret in list(self._store.scan(SECRETS)):
            self._settle(secret)

    def follow(self, change: Change) -> None:
        """Heed a change that is durable."""
        if change.key.collection == SECRETS and change.after is not None:
            self._settle(change.after)
        elif change.key.collection == ACCOUNTS and change.after is None:
            for secret in list(self._store.scan(SECRETS, change.key.namespace)):
                if objects.annotations_of(secret).get(_NAME) == change.key.name:
                    self._settle(secret)

    def _settle(self, secret: Object) -> None:
        if secret.get("type") != SECRET_TYPE or objects.is_deleting(secret):
            return
        marks, namespace = objects.annotations_of(secret), objects.namespace(secret)
        account = self._store.get(Key(ACCOUNTS, namespace, marks.get(_NAME, "")))
        address = Address(_RESOURCE, namespace, objects.name(secret))
        try:
            if account is None or marks.get(_UID, objects.uid(account)) != objects.uid(account):
                self._server.delete(address, DeleteOptions(uid=objects.uid(secret)))
            elif (filled := self._filled(secret, account)) is not secret:
                self._server.replace(address, filled, _MANAGER)
        except (Conflict, NotFound):
            # It changed meanwhile; that change brings it here again.
            return
        except ApiRefusal:
            # A Secret that cannot be written as it is, such as one that is immutable, stays so.
            return

    def _filled(self, secret: Object, account: Object) -> Object:
        """The Secret with everything that it should have; itself where it has."""
        namespace = objects.namespace(secret)
        authority = base64.b64encode(self._authority()).decode()
        made = secret
        if dig(secret, "data", "ca.crt") != authority:
            made = objects.put(made, ("data", "ca.crt"), authority)
        if not dig(secret, "data", "namespace"):
            made = objects.put(made, ("data", "namespace"), _encoded(namespace))
        if not dig(secret, "data", "token"):
            token = self._accounts.lasting(account, objects.name(secret))
            made = objects.put(made, ("data", "token"), _encoded(token))
        if made is secret:
            return secret
        return objects.put(made, ("metadata", "annotations", _UID), objects.uid(account))


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
