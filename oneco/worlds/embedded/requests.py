"""What a request asks for: its query and its body as the values that the API takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, cast, get_args
from urllib.parse import parse_qsl

import msgspec

from oneco.errors import Refused
from oneco.kube import documents
from oneco.kube.api import (
    DeleteOptions,
    FieldValidation,
    ListOptions,
    Match,
    Patch,
    PatchType,
    Propagation,
    WatchOptions,
    WriteOptions,
)
from oneco.kube.errors import BadRequest, Cause, Invalid, UnsupportedMediaType
from oneco.kube.objects import DEEPEST, Json, Object, is_too_deep
from oneco.kube.rbac import User
from oneco.worlds.embedded import list_rules, protobuf

APPLY_TYPES = ("application/apply-patch+yaml", "application/apply-patch+cbor")
_PATCH_TYPES: Mapping[str, PatchType] = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
}
_LARGEST_NUMBER = 2**63 - 1
_YAML_TYPES = ("application/yaml", "application/apply-patch+yaml")
_BODY_TYPES = ("", "application/json", "application/yaml", protobuf.CONTENT_TYPE)


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """One request whose sender is known."""

    method: str
    path: str
    query: Query
    headers: Mapping[str, str]
    user: User
    body: bytes = b""

    @property
    def content_type(self) -> str:
        """The media type of the body, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Query:
    """The parameters behind the question mark."""

    def __init__(self, text: str) -> None:
        self._values = dict(parse_qsl(text, keep_blank_values=True)) if text else {}

    def text(self, name: str) -> str:
        """The value of `name`, empty without one."""
        return self._values.get(name, "")

    def flag(self, name: str) -> bool:
        """Whether `name` is given and is not `false` or `0`."""
        return self._values.get(name, "false").lower() not in ("false", "0")

    def number(self, name: str) -> int:
        """The value of `name` as a whole number, 0 without one."""
        text = self._values.get(name, "")
        try:
            value = int(text) if text else 0
        except ValueError as failure:
            raise BadRequest(f'{name}: found "{text}", wanted a whole number') from failure
        if not 0 <= value <= _LARGEST_NUMBER:
            raise BadRequest(f"{name}: found {value}, wanted 0 to {_LARGEST_NUMBER}")
        return value


def match(query: Query) -> Match:
    """Which objects of the collection are meant."""
    return Match(labels=query.text("labelSelector"), fields=query.text("fieldSelector"))


def list_options(query: Query) -> ListOptions:
    """How the collection is to be listed."""
    list_rules.check(query, is_watch=False)
    return ListOptions(
        match=match(query),
        limit=query.number("limit"),
        continue_token=query.text("continue"),
        resource_version=query.text("resourceVersion"),
    )


def watch_options(query: Query, name: str) -> WatchOptions:
    """How the collection, or the one object `name` of it, is to be watched."""
    list_rules.check(query, is_watch=True)
    wanted = match(query)
    if name:
        fields = ",".join(part for part in (wanted.fields, f"metadata.name={name}") if part)
        wanted = Match(labels=wanted.labels, fields=fields)
    return WatchOptions(
        match=wanted,
        from_version=query.text("resourceVersion"),
        bookmarks=query.flag("allowWatchBookmarks"),
        initial_events=query.flag("sendInitialEvents"),
        timeout_seconds=query.number("timeoutSeconds") or None,
    )


def is_from_now(query: Query) -> bool:
    """Whether a watch is to show only what happens from now on."""
    is_without = query.text("sendInitialEvents") and not query.flag("sendInitialEvents")
    return bool(is_without) and query.text("resourceVersion") in ("", "0")


def write_options(request: Request) -> WriteOptions:
    """How the write is to be done; a manager without a name is named after its program."""
    query = request.query
    validation = query.text("fieldValidation") or "Warn"
    if validation not in get_args(FieldValidation):
        raise _unsupported("fieldValidation", validation, get_args(FieldValidation))
    agent = request.headers.get("user-agent", "").partition("/")[0]
    return WriteOptions(
        manager=query.text("fieldManager") or agent or "unknown",
        force=query.flag("force"),
        dry_run=_is_dry_run(query.text("dryRun")),
        field_validation=cast(FieldValidation, validation),
    )


class _Preconditions(msgspec.Struct, rename="camel"):
    uid: str | None = None
    resource_version: str | None = None


class _DeleteBody(msgspec.Struct, rename="camel"):
    propagation_policy: str | None = None
    orphan_dependents: bool | None = None
    grace_period_seconds: int | None = None
    dry_run: list[str] | None = None
    preconditions: _Preconditions | None = None


def delete_options(request: Request) -> DeleteOptions:
    """How the object is to be deleted: by the body, or else by the query."""
    query, body = request.query, _delete_body(request)
    policy = body.propagation_policy or query.text("propagationPolicy")
    orphan = body.orphan_dependents
    if orphan is None and query.text("orphanDependents"):
        orphan = query.flag("orphanDependents")
    if orphan is not None and not policy:
        policy = "Orphan" if orphan else "Background"
    if policy and policy not in get_args(Propagation):
        raise _unsupported("propagationPolicy", policy, get_args(Propagation))
    grace = body.grace_period_seconds
    if grace is None and query.text("gracePeriodSeconds"):
        grace = query.number("gracePeriodSeconds")
    held = body.preconditions or _Preconditions()
    return DeleteOptions(
        propagation=cast(Propagation, policy or "Background"),
        uid=held.uid or "",
        resource_version=held.resource_version or "",
        grace_seconds=grace,
        dry_run=_is_dry_run((body.dry_run or [query.text("dryRun")])[0]),
    )


def _delete_body(request: Request) -> _DeleteBody:
    if not request.body:
        return _DeleteBody()
    try:
        return msgspec.convert(_decoded(request), _DeleteBody)
    except msgspec.ValidationError as failure:
        raise BadRequest(f"the body of a deletion has to be DeleteOptions: {failure}") from failure


def object_body(request: Request) -> Object:
    """The object in the body."""
    if request.content_type not in _BODY_TYPES:
        raise UnsupportedMediaType(
            "the body of the request was in an unknown format - accepted media types include:"
            " application/json, application/yaml"
        )
    return _as_object(_decoded(request))


def patch_body(request: Request) -> Patch | Object:
    """The patch in the body; an object if the patch type is that of server-side apply."""
    if request.content_type == APPLY_TYPES[0]:
        if not request.query.text("fieldManager"):
            message = "is required for apply patch"
            raise Invalid(
                f'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: {message}',
                causes=[Cause("fieldManager", f"Required value: {message}", "FieldValueRequired")],
            )
        return _as_object(_decoded(request))
    patch_type = _PATCH_TYPES.get(request.content_type)
    if patch_type is None:
        raise UnsupportedMediaType(
            "the body of the request was in an unknown format - accepted media types include:"
            f" {', '.join((*_PATCH_TYPES, APPLY_TYPES[0]))}"
        )
    return Patch(patch_type, _decoded(request))


def _as_object(body: Json) -> Object:
    if not isinstance(body, dict):
        raise BadRequest("the body of the request has to be one object")
    return body


def _decoded(request: Request) -> Any:
    if request.content_type == protobuf.CONTENT_TYPE:
        return protobuf.decode(request.body)
    try:
        value = msgspec.json.decode(request.body)
        if is_too_deep(value, request.body):
            raise _too_deep()
        return value
    except RecursionError as failure:
        raise _too_deep() from failure
    except (msgspec.DecodeError, UnicodeDecodeError) as failure:
        if request.method == "PATCH" and "truncated" in str(failure):
            raise BadRequest("unexpected end of JSON input") from failure
        if request.content_type not in _YAML_TYPES:
            raise BadRequest(f"the body of the request is not JSON: {failure}") from failure
    try:
        found = documents.read(request.body.decode(), "body")
    except (Refused, UnicodeDecodeError) as failure:
        raise BadRequest(f"the body of the request is not YAML: {failure}") from failure
    if len(found) != 1:
        raise BadRequest(f"the body of the request: found {len(found)} objects, wanted one")
    return found[0].object


def _too_deep() -> BadRequest:
    return BadRequest(
        f"the body of the request: wanted at most {DEEPEST} levels inside one another"
    )


def _is_dry_run(text: str) -> bool:
    if text not in ("", "All"):
        raise _unsupported("dryRun", text, ("All",))
    return text == "All"


def _unsupported(field: str, found: str, wanted: tuple[str, ...]) -> Invalid:
    values = ", ".join(f'"{value}"' for value in wanted)
    message = f'Unsupported value: "{found}": supported values: {values}'
    return Invalid(
        f'Options.meta.k8s.io "" is invalid: {field}: {message}',
        causes=[Cause(field, message, "FieldValueNotSupported")],
    )
