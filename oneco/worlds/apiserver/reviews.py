"""Questions that are asked by creating an object which is answered and not kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from oneco.kube.objects import Object
from oneco.worlds.apiserver.core import Caller

Authorize = Callable[[Caller, Object], tuple[bool, str]]
"""Whether the caller may do what a SelfSubjectAccessReview's spec says, and why or why not."""


def allow(caller: Caller, spec: Object) -> tuple[bool, str]:
    """Everybody may do everything."""
    return True, ""


def answer(plural: str, body: Object, caller: Caller, authorize: Authorize) -> Object | None:
    """The answered review, None if `plural` is no review."""
    reply = _REPLIES.get(plural)
    if reply is None:
        return None
    return {**body, "status": reply(body.get("spec") or {}, caller, authorize)}


def _own_access(spec: Object, caller: Caller, authorize: Authorize) -> Object:
    is_allowed, reason = authorize(caller, spec)
    return {"allowed": is_allowed, "reason": reason} if reason else {"allowed": is_allowed}


def _access(spec: Object, caller: Caller, authorize: Authorize) -> Object:
    groups = tuple(spec.get("groups") or ())
    return _own_access(spec, Caller(spec.get("user") or "", groups), authorize)


def _own_rules(spec: Object, caller: Caller, authorize: Authorize) -> Object:
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    return {
        "resourceRules": [everything],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
        "incomplete": authorize is not allow,
    }


def _oneself(spec: Object, caller: Caller, authorize: Authorize) -> Object:
    return {"userInfo": {"username": caller.user, "groups": list(caller.groups)}}


def _token(spec: Object, caller: Caller, authorize: Authorize) -> Object:
    return {"user": {}, "error": "this server issues no tokens"}


_REPLIES: Final[Mapping[str, Callable[[Object, Caller, Authorize], Object]]] = {
    "selfsubjectaccessreviews": _own_access,
    "subjectaccessreviews": _access,
    "localsubjectaccessreviews": _access,
    "selfsubjectrulesreviews": _own_rules,
    "selfsubjectreviews": _oneself,
    "tokenreviews": _token,
}
