"""Who may do what on one server: its roles and bindings, and the words of a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from oneco.kube import escalation, rbac
from oneco.kube.errors import Forbidden
from oneco.kube.objects import Object, dig
from oneco.kube.rbac import Asked, RoleBook, Rules, User, Verdict
from oneco.kube.refs import Address
from oneco.worlds.apiserver.rights import Identity
from oneco.worlds.apiserver.store import Change, Store
from oneco.worlds.apiserver.writes import Request
from oneco.worlds.embedded import signing
from oneco.worlds.embedded.tokens import Tokens

COLLECTIONS: Final = {
    f"{rbac.GROUP}/clusterroles": "ClusterRole",
    f"{rbac.GROUP}/roles": "Role",
    f"{rbac.GROUP}/clusterrolebindings": "ClusterRoleBinding",
    f"{rbac.GROUP}/rolebindings": "RoleBinding",
}
_GUARDED: Final = frozenset((*COLLECTIONS, signing.COLLECTION))
_IGNORED: Final = ("ownerReferences", "finalizers", "managedFields")
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class RoleRights:
    """The rights that the objects of one store give; every commit is heeded at once."""

    def __init__(self, store: Store, tokens: Tokens) -> None:
        self._book, self._tokens = RoleBook(), tokens
        for collection in COLLECTIONS:
            for obj in store.scan(collection):
                self._book.put(obj)
        store.on_commit(self._follow)

    def authorize(self, user: User, verb: str, address: Address) -> None:
        """Forbidden, in Kubernetes' words, unless `user` may do `verb` at `address`.

        For a list or watch that is limited to one name, `address` carries that name.
        """
        if rbac.SUPERUSERS in user.groups:
            return
        self.authorize_act(user, _asked(verb, address))

    def authorize_act(self, user: User, asked: Asked) -> None:
        """Forbidden unless `user` may do what is asked."""
        if not self._book.is_allowed(user, asked):
            raise forbidden(user, asked, self._book.verdict(user, asked).reason)

    def verdict(self, user: User, asked: Asked) -> Verdict:
        """Whether `user` may do what is asked."""
        return self._book.verdict(user, asked)

    def rules(self, user: User, namespace: str) -> Rules | None:
        """What `user` may do in `namespace`."""
        return self._book.rules(user, namespace)

    def identify(self, token: str, audiences: Sequence[str]) -> Identity | None:
        """Whose token this is, None for one that is nobody's or for none of `audiences`."""
        return self._tokens.identify(token, audiences)

    def token(self, account: Object, request: Object) -> Object:
        """The answered TokenRequest of a service account."""
        return self._tokens.issue(account, request)

    def guard(self, request: Request, old: Object | None, new: Object) -> None:
        """Raise Forbidden if the content of the write is not for the one who writes."""
        collection = request.key.collection
        if collection not in _GUARDED:
            return
        user = User(request.caller.user, tuple(request.caller.groups))
        if collection == signing.COLLECTION:
            self._guard_request(user, request, old, new)
        elif not request.subresource and rbac.SUPERUSERS not in user.groups:
            self._guard_grant(user, request, old, new)

    def _guard_grant(self, user: User, request: Request, old: Object | None, new: Object) -> None:
        """Nobody grants more than is theirs, unless they may `escalate` or `bind`."""
        if old is not None and _grants(old) == _grants(new):
            return
        key, plural = request.key, request.served.resource.plural
        if new.get("kind") in rbac.ROLE_KINDS:
            act = Asked("escalate", rbac.GROUP, plural, "", key.namespace, key.name if old else "")
            if self._book.is_allowed(user, act):
                return
            self._check_granted(user, request, new.get("rules") or ())
            self._check_aggregation(user, request, old, new)
            return
        reference = new.get("roleRef") or {}
        kinds = "roles" if reference.get("kind") == "Role" else "clusterroles"
        name = reference.get("name") or ""
        act = Asked("bind", rbac.GROUP, kinds, "", key.namespace, name)
        if self._book.is_allowed(user, act):
            return
        rules = self._book.rules_of(reference, key.namespace)
        if rules is None:
            raise request.served.missing(name)
        self._check_granted(user, request, rules)

    def _check_granted(self, user: User, request: Request, rules: Sequence[Object]) -> None:
        held = self._book.rules(user, request.key.namespace)
        fault = escalation.fault(user, held, rules, request.served.resource.plural)
        if fault:
            raise _refused(request, fault)

    def _check_aggregation(
        self, user: User, request: Request, old: Object | None, new: Object
    ) -> None:
        """An aggregated role can come to hold anything, so it takes everything to make one."""
        chosen = [dig(one or {}, "aggregationRule", "clusterRoleSelectors") for one in (old, new)]
        held = self._book.rules(user, request.key.namespace)
        if any(chosen) and escalation.uncovered(held.rules, escalation.EVERYTHING):
            raise _refused(request, "must have cluster-admin privileges to use the aggregationRule")

    def _guard_request(self, user: User, request: Request, old: Object | None, new: Object) -> None:
        if old is None and signing.asks_for_everything(new):
            words = (
                f"use of {signing.CLIENT_SIGNER} signer with system:masters group is not allowed"
            )
            raise _refused(request, words)
        if old is None or request.subresource != "approval":
            return
        signer = dig(old, "spec", "signerName", default="")
        domain = signer.partition("/")[0]
        for name in (signer, f"{domain}/*"):
            asked = Asked("approve", "certificates.k8s.io", "signers", name=name)
            if self._book.is_allowed(user, asked):
                return
        words = f'user not permitted to approve requests with signerName "{signer}"'
        raise _refused(request, words)

    def _follow(self, change: Change) -> None:
        if change.key.collection not in COLLECTIONS:
            return
        if change.after is not None:
            self._book.put(change.after)
        elif change.before is not None:
            self._book.remove(change.before)


def forbidden(user: User, asked: Asked, reason: str = "") -> Forbidden:
    """The refusal as a kube-apiserver words it."""
    if asked.path:
        text = f'User "{user.name}" cannot {asked.verb} path "{asked.path}"'
        return Forbidden("forbidden: " + _with_reason(text, reason))
    qualified = f"{asked.resource}.{asked.group}" if asked.group else asked.resource
    scope = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    named = f'{qualified} "{asked.name}"' if asked.name else qualified
    text = (
        f'User "{user.name}" cannot {asked.verb} resource "{asked.combined}"'
        f' in API group "{asked.group}" {scope}'
    )
    details = {"name": asked.name, "group": asked.group, "kind": asked.resource}
    details = {key: value for key, value in details.items() if value}
    return Forbidden(f"{named} is forbidden: {_with_reason(text, reason)}", details=details)


def _with_reason(text: str, reason: str) -> str:
    # A real server makes what came from the request harmless for a browser.
    shown = text.translate(_ESCAPES)
    return f"{shown}: {reason}" if reason else shown


def _asked(verb: str, address: Address) -> Asked:
    (group, _, plural), namespace, name, subresource = address
    if plural == "namespaces" and not group:
        # A namespace is within itself: whoever has a role there may have to do with it.
        namespace = name
    return Asked(verb, group, plural, subresource, namespace, name)


def _grants(obj: Object) -> Object:
    """What counts of a role or binding when it changes: all but what garbage collection writes."""
    kept = {key: value for key, value in obj["metadata"].items() if key not in _IGNORED}
    kept.pop("resourceVersion", None)
    return {**obj, "metadata": kept}


def _refused(request: Request, why: str) -> Forbidden:
    served, name = request.served, request.key.name
    text = f'{served.group_resource} "{name}" is forbidden: {why}'
    return Forbidden(text, details=served.details(name))
