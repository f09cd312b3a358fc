"""Tokens to join, and to fetch what came of it: gone when their time is over."""

from __future__ import annotations

from oneco.clock import Instant
from oneco.decision import NOTHING, Decision, Delete, Reader, Reason
from oneco.fleet.joining import SECRETS, TOKEN_TYPE, expires
from oneco.kube import objects
from oneco.kube.api import DeleteOptions
from oneco.kube.objects import Object
from oneco.kube.refs import Address


def gather(reader: Reader, key: tuple[str, str]) -> Object | None:
    """The Secret that `key` names, None where it is gone or is no token."""
    secret = reader.get(Address(SECRETS, *key))
    return secret if secret is not None and secret.get("type") == TOKEN_TYPE else None


def decide(token: Object, now: Instant) -> Decision:
    """Remove a token that has ended; look again when this one will have."""
    ends = expires(token)
    if ends is None or objects.is_deleting(token):
        return NOTHING
    if now < ends:
        return Decision(wake_at=ends)
    name = objects.name(token)
    address = Address(SECRETS, objects.namespace(token), name)
    # Only this one: a token of the same name that a person made since is another.
    options = DeleteOptions(uid=objects.uid(token))
    why = Reason("TokenExpired", f"{name} has expired.")
    return Decision(actions=[Delete(address, options)], reasons=[why])
