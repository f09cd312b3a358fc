"""Whether the body of a request fits the place it is sent to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oneco.kube import causes
from oneco.kube.errors import BadRequest
from oneco.kube.objects import Object, dig, encode
from oneco.kube.refs import Kind, split_api_version
from oneco.worlds.apiserver.registry import Served
from oneco.worlds.apiserver.store import Key


def fitting(served: Served, key: Key, body: Any) -> Object:
    """`body` with its kind filled in, once it is sure that it belongs at `key`."""
    if not isinstance(body, Mapping):
        raise BadRequest(
            f"the object provided is unrecognized (must be of type {served.kind.kind})"
        )
    kind, version = body.get("kind"), body.get("apiVersion")
    if kind != served.kind.kind or version != served.kind.api_version:
        _check_kind(served, body, kind or "", version or "")
        body = {**body, "apiVersion": served.kind.api_version, "kind": served.kind.kind}
    given = body.get("metadata")
    if given is None:
        body = {**body, "metadata": {}}
    elif not isinstance(given, Mapping):
        raise BadRequest(
            f'{served.kind.kind} in version "{served.kind.version}" cannot be handled as a '
            f"{served.kind.kind}: metadata must be an object"
        )
    fitted: Object = body
    check_place(key, fitted["metadata"])
    return fitted


def token_request(body: Any) -> Object:
    """`body` as the TokenRequest that it has to be."""
    kind = body.get("kind") if isinstance(body, Mapping) else None
    if not isinstance(body, Mapping) or kind not in (None, "", "TokenRequest"):
        raise BadRequest("the object provided is unrecognized (must be of type TokenRequest)")
    return {**body, "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1"}


def check_place(key: Key, meta: Object) -> None:
    """Raise BadRequest if `meta` names another object than `key` does."""
    name, namespace = meta.get("name") or "", meta.get("namespace") or ""
    if namespace and key.namespace and namespace != key.namespace:
        raise BadRequest(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if key.name and name and name != key.name:
        raise BadRequest(
            f"the name of the object ({name}) does not match the name on the URL ({key.name})"
        )


def check_applied(served: Served, body: Any) -> None:
    """Raise BadRequest unless `body` says that it is of the kind it is applied as."""
    found = (dig(body, "apiVersion", default=""), dig(body, "kind", default=""))
    if found != (served.kind.api_version, served.kind.kind):
        group, version = split_api_version(found[0])
        shown = f"{group}/{version}" if group or not version else version
        raise BadRequest(f"invalid object type: {shown}, Kind={found[1]}")


def check_same_kind(served: Served, changed: Object) -> None:
    """Raise Invalid if a patch made another kind of the object."""
    kind, version = changed.get("kind"), changed.get("apiVersion")
    if kind == served.kind.kind and version == served.kind.api_version:
        return
    shown = encode(changed).decode()
    words = f'no kind "{kind}" is registered for version "{version}"'
    raise causes.refusal(Kind("", "", ""), "", [causes.invalid("patch", shown, words)])


def _check_kind(served: Served, body: Object, kind: str, version: str) -> None:
    wanted = served.kind
    if served.custom is not None:
        if not kind:
            shown = encode(body).decode()
            raise BadRequest(
                f"the object provided is unrecognized (must be of type {wanted.kind}): "
                f"Object 'Kind' is missing in '{shown}'"
            )
        if version != wanted.api_version:
            raise BadRequest(
                f"the API version in the data ({version}) does not match the expected API version "
                f"({wanted.api_version})"
            )
        refused = causes.invalid("kind", kind, f"must be {wanted.kind}")
        about = Kind(wanted.group, wanted.version, kind)
        raise causes.refusal(about, dig(body, "metadata", "name", default=""), [refused])
    start = f'{kind} in version "{split_api_version(version)[1]}" cannot be handled as a '
    if version and version != wanted.api_version:
        raise BadRequest(
            f'{start}{wanted.kind}: no kind "{kind}" is registered for version "{version}"'
        )
    if kind and kind != wanted.kind:
        raise BadRequest(f"{start}{wanted.kind}: {kind} cannot become {wanted.kind}")
