"""Questions that are asked by creating an object which is answered and not kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from oneco.kube import causes, rbac
from oneco.kube.errors import BadRequest, Cause, Invalid
from oneco.kube.objects import Object
from oneco.kube.rbac import Asked, User
from oneco.worlds.apiserver.core import Caller
from oneco.worlds.apiserver.rights import Rights

_GROUP: Final = "authorization.k8s.io"
_EVERYTHING: Final[Object] = {
    "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    "incomplete": False,
}
_RESOURCE_PARTS: Final = ("verbs", "apiGroups", "resources", "resourceNames")
_PATH_PARTS: Final = ("verbs", "nonResourceURLs")


class _Question(NamedTuple):
    """One review: what it asks, in which namespace, by whom, and who knows the answer."""

    spec: Object
    namespace: str
    caller: Caller
    rights: Rights

    @property
    def user(self) -> User:
        return User(self.caller.user, self.caller.groups)


def answer(
    plural: str, namespace: str, body: Object, caller: Caller, rights: Rights
) -> Object | None:
    """The answered review, None if `plural` is no review."""
    reply = _REPLIES.get(plural)
    if reply is None:
        return None
    question = _Question(body.get("spec") or {}, namespace, caller, rights)
    return {**body, "status": reply(question)}


def _own_access(question: _Question) -> Object:
    _refuse(_faults(question.spec))
    return _verdict(question, question.user)


def _access(question: _Question) -> Object:
    spec = question.spec
    found = _faults(spec)
    if not spec.get("user") and not spec.get("groups"):
        words = "at least one of user or group must be specified"
        found.append(causes.invalid("spec.user", spec.get("user") or "", words))
    _refuse(found)
    return _verdict(question, User(spec.get("user") or "", tuple(spec.get("groups") or ())))


def _local_access(question: _Question) -> Object:
    spec = question.spec
    path = spec.get("nonResourceAttributes")
    if path:
        words = "disallowed on this kind of request"
        _refuse([_about_path(path, words)])
    asked = (spec.get("resourceAttributes") or {}).get("namespace") or ""
    if asked != question.namespace:
        where = "spec.resourceAttributes.namespace"
        _refuse([causes.invalid(where, asked, "must match metadata.namespace")])
    return _access(question)


def _verdict(question: _Question, user: User) -> Object:
    found = question.rights.verdict(user, _asked(question.spec))
    said = {"reason": found.reason} if found.reason else {}
    return {"allowed": found.is_allowed, **said}


def _asked(spec: Object) -> Asked:
    path = spec.get("nonResourceAttributes")
    if path:
        return Asked(path.get("verb") or "", path=path.get("path") or "")
    given = spec.get("resourceAttributes") or {}
    parts = ("verb", "group", "resource", "subresource", "namespace", "name")
    return Asked(*(given.get(part) or "" for part in parts))


def _faults(spec: Object) -> list[Cause]:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and path is not None:
        return [_about_path(path, "cannot be specified in combination with resourceAttributes")]
    if resource is None and path is None:
        words = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        return [causes.invalid("spec.resourceAttributes", None, words)]
    return []


def _about_path(path: Object, words: str) -> Cause:
    shown = {"Path": path.get("path") or "", "Verb": path.get("verb") or ""}
    text = msgspec.json.encode(shown).decode()
    return Cause("spec.nonResourceAttributes", f"Invalid value: {text}: {words}")


def _refuse(found: list[Cause]) -> None:
    if found:
        # A real server forgets the kind here.
        said = "; ".join(f"{one.field}: {one.message}" for one in found)
        text = f'.{_GROUP} "" is invalid: {said}'
        raise Invalid(text, causes=found, details={"group": _GROUP})


def _own_rules(question: _Question) -> Object:
    namespace = question.spec.get("namespace") or ""
    if not namespace:
        raise BadRequest("no namespace on request")
    found = question.rights.rules(question.user, namespace)
    if found is None:
        return _EVERYTHING
    said: dict[str, Any] = {
        "resourceRules": [
            _part(one, _RESOURCE_PARTS) for one in found.rules if one.get("resources")
        ],
        "nonResourceRules": [
            _part(one, _PATH_PARTS) for one in found.rules if one.get("nonResourceURLs")
        ],
        "incomplete": False,
    }
    if found.faults:
        said["evaluationError"] = rbac.told(found.faults)
    return said


def _part(rule: Object, keys: tuple[str, ...]) -> Object:
    return {key: rule[key] for key in keys if rule.get(key)}


def _oneself(question: _Question) -> Object:
    caller = question.caller
    return {"userInfo": {"username": caller.user, "groups": list(caller.groups)}}


def _token(question: _Question) -> Object:
    token = question.spec.get("token") or ""
    if not token:
        raise BadRequest("token is required for TokenReview in authentication")
    found = question.rights.identify(token, question.spec.get("audiences") or ())
    if found is None:
        return {"user": {}, "error": "invalid bearer token"}
    user: dict[str, Any] = {"username": found.user.name, "groups": list(found.user.groups)}
    user |= {"uid": found.uid} if found.uid else {}
    user |= {"extra": found.extra} if found.extra else {}
    return {"authenticated": True, "user": user, "audiences": list(found.audiences)}


_REPLIES: Final[Mapping[str, Callable[[_Question], Object]]] = {
    "selfsubjectaccessreviews": _own_access,
    "subjectaccessreviews": _access,
    "localsubjectaccessreviews": _local_access,
    "selfsubjectrulesreviews": _own_rules,
    "selfsubjectreviews": _oneself,
    "tokenreviews": _token,
}
