"""URLs of the Kubernetes API as addresses, and methods as verbs."""

from __future__ import annotations

from oneco.kube.refs import Address, Resource

_NAMESPACE_SUBRESOURCES = ("status", "finalize")
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def group_version(path: str) -> tuple[tuple[str, str], list[str]] | None:
    """The group and version that `path` names, and its parts behind them; None without both."""
    parts = [part for part in path.split("/") if part]
    if len(parts) >= 2 and parts[0] == "api":
        return ("", parts[1]), parts[2:]
    if len(parts) >= 3 and parts[0] == "apis":
        return (parts[1], parts[2]), parts[3:]
    return None


def address(path: str) -> Address | None:
    """The collection, object or subresource at `path`; None where no resource can be."""
    found = group_version(path)
    if found is None or not found[1]:
        return None
    (group, version), parts = found
    namespace = ""
    is_inside = len(parts) > 2 and not (not group and parts[2] in _NAMESPACE_SUBRESOURCES)
    if parts[0] == "namespaces" and is_inside:
        namespace, parts = parts[1], parts[2:]
    plural, name, subresource, *rest = [*parts, "", "", ""]
    if any(rest):
        return None
    return Address(Resource(group, version, plural), namespace, name, subresource)


def verb(method: str, at: Address, *, is_watch: bool) -> str:
    """What `method` does at `at`, in Kubernetes' words; empty for a method that means nothing."""
    if method in ("GET", "HEAD"):
        if is_watch:
            return "watch"
        return "get" if at.name else "list"
    if method == "DELETE" and not at.name:
        return "deletecollection"
    is_object = bool(at.name) and not at.subresource
    # Objects are made in their collection; what is changed has a name.
    if (method == "POST" and is_object) or (method in ("PUT", "PATCH") and not at.name):
        return ""
    return _VERBS.get(method, "")
