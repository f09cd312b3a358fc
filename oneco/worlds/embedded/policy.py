"""The roles that every cluster begins with, and the roles that are made of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from oneco.generated import policy
from oneco.kube import escalation, rbac
from oneco.kube.objects import Object, annotations_of, name, namespace
from oneco.worlds.apiserver.inside import Inside
from oneco.worlds.apiserver.store import Change, Key, Store

_ROLES: Final = f"{rbac.GROUP}/clusterroles"
_AUTOUPDATE: Final = "rbac.authorization.kubernetes.io/autoupdate"
_PLURALS: Final = {
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "Role": "roles",
    "RoleBinding": "rolebindings",
}


def keep(store: Store, inside: Inside) -> None:
    """Put the built-in roles in place, and from now on the rules into roles made of others.

    As on a real server: what is missing is added at each start, unless the object's annotation
    says that it is not to be; what somebody added stays.
    """
    for row in policy.OBJECTS:
        wanted: dict[str, Any] = msgspec.json.decode(row)
        key = Key(f"{rbac.GROUP}/{_PLURALS[wanted['kind']]}", namespace(wanted), name(wanted))
        present = store.get(key)
        if present is None:
            metadata = {
                part: one for part, one in wanted["metadata"].items() if part != "namespace"
            }
            inside.create(key, {**wanted, "metadata": metadata})
        elif annotations_of(present).get(_AUTOUPDATE) != "false":
            completed = _completed(present, wanted)
            if completed is not present:
                inside.put(key, completed)
    aggregation = _Aggregation(store, inside)
    aggregation.settle()
    store.on_commit(aggregation.follow)


def _completed(present: Object, wanted: Object) -> Object:
    """`present` with the rules and subjects of `wanted` that it lacks."""
    if "aggregationRule" in wanted or "aggregationRule" in present:
        return present
    held = present.get("rules") or []
    lacking = escalation.uncovered(held, wanted.get("rules") or ()) if "rules" in wanted else []
    subjects = present.get("subjects") or []
    strangers = [one for one in wanted.get("subjects") or () if one not in subjects]
    if not lacking and not strangers:
        return present
    rules = {"rules": [*held, *lacking]} if lacking else {}
    return {**present, **rules, **({"subjects": [*subjects, *strangers]} if strangers else {})}


class _Aggregation:
    """Writes into ClusterRoles with an aggregationRule the rules of those that it chooses."""

    def __init__(self, store: Store, inside: Inside) -> None:
        self._store, self._inside = store, inside
        # Few roles are made of others, and a fleet has a role for each of its clusters.
        self._made: dict[str, Object] = {}

    def settle(self) -> None:
        """Begin with the roles that are there."""
        for role in self._store.scan(_ROLES):
            self._note(name(role), role)
        for made in tuple(self._made):
            self._write(made)

    def follow(self, change: Change) -> None:
        """Look at the roles that the changed ClusterRole is, was or becomes a part of."""
        if change.key.collection != _ROLES:
            return
        self._note(change.key.name, change.after)
        if change.key.name in self._made:
            self._write(change.key.name)
        sides = [side for side in (change.before, change.after) if side is not None]
        for made, role in tuple(self._made.items()):
            if made != change.key.name and any(rbac.is_chosen(role, side) for side in sides):
                self._write(made)

    def _note(self, role_name: str, role: Object | None) -> None:
        if role is not None and "aggregationRule" in role:
            self._made[role_name] = role
        else:
            self._made.pop(role_name, None)

    def _write(self, role_name: str) -> None:
        key = Key(_ROLES, "", role_name)
        role = self._store.get(key)
        rules = rbac.aggregated(role, self._store.scan(_ROLES)) if role is not None else None
        # Rules that are only in another order are the same: roles that choose each other in a
        # circle would otherwise turn it for ever.
        if role is not None and rules is not None and not _is_same(role.get("rules"), rules):
            self._inside.put(key, {**role, "rules": rules})


def _is_same(held: Any, rules: Sequence[Object]) -> bool:
    held = held or ()
    return len(held) == len(rules) and all(one in rules for one in held)
