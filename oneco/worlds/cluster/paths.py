"""Addresses and options as the Kubernetes REST API spells them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from oneco.kube.api import DeleteOptions, ListOptions, Match, WatchOptions, WriteOptions
from oneco.kube.objects import Json
from oneco.kube.refs import Address, Resource


def of_resource(resource: Resource) -> str:
    """The path under which the resource's group and version is served."""
    if resource.group:
        return f"/apis/{resource.group}/{resource.version}"
    return f"/api/{resource.version}"


def of_address(address: Address) -> str:
    """The path of a collection, an object or a subresource."""
    parts = [of_resource(address.resource)]
    if address.namespace:
        parts += ["namespaces", _quoted(address.namespace, "")]
    parts.append(address.resource.plural)
    if address.name:
        # Names of some kinds (roles) hold colons, and paths may not hold a slash or a percent.
        parts.append(_quoted(address.name, ":"))
        if address.subresource:
            parts.append(address.subresource)
    return "/".join(parts)


def _quoted(text: str, safe: str) -> str:
    # Nearly all names are letters, digits and dashes, which quoting would look at one by one.
    return text if text.replace("-", "").isalnum() and text.isascii() else quote(text, safe=safe)


def of_new(address: Address) -> str:
    """The path to which a new object is posted."""
    return of_address(address if address.subresource else address._replace(name=""))


def match_query(match: Match) -> dict[str, str]:
    """The selectors."""
    return _present({"labelSelector": match.labels, "fieldSelector": match.fields})


def list_query(options: ListOptions) -> dict[str, str]:
    """How a collection is listed."""
    query = {
        "limit": str(options.limit) if options.limit else "",
        "continue": options.continue_token,
        # A continued list has its version in the token; servers refuse a second one.
        "resourceVersion": "" if options.continue_token else options.resource_version,
    }
    return match_query(options.match) | _present(query)


def watch_query(options: WatchOptions) -> dict[str, str]:
    """How a collection is watched."""
    query = {
        "watch": "true",
        "resourceVersion": options.from_version,
        "allowWatchBookmarks": "true" if options.bookmarks or options.initial_events else "",
    }
    if options.initial_events:
        query |= {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
    if options.timeout_seconds is not None:
        query["timeoutSeconds"] = str(max(1, round(options.timeout_seconds)))
    return match_query(options.match) | _present(query)


def write_query(options: WriteOptions) -> dict[str, str]:
    """How a write is done."""
    query = {
        "fieldManager": options.manager,
        "fieldValidation": options.field_validation,
        "dryRun": "All" if options.dry_run else "",
    }
    return _present(query)


def apply_query(options: WriteOptions) -> dict[str, str]:
    """How a server-side apply is done."""
    return write_query(options) | _present({"force": "true" if options.force else ""})


def delete_body(options: DeleteOptions) -> dict[str, Json]:
    """The `DeleteOptions` object that goes with a delete."""
    body: dict[str, Json] = {"kind": "DeleteOptions", "apiVersion": "v1"}
    body["propagationPolicy"] = options.propagation
    held = _present({"uid": options.uid, "resourceVersion": options.resource_version})
    if held:
        body["preconditions"] = held
    if options.grace_seconds is not None:
        body["gracePeriodSeconds"] = options.grace_seconds
    if options.dry_run:
        body["dryRun"] = ["All"]
    return body


def _present(query: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in query.items() if value}
