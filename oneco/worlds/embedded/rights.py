"""Who may do what, until roles decide it: the person everything, an agent its part of a cluster."""

from __future__ import annotations

from oneco.kube.errors import Forbidden
from oneco.kube.objects import Object, dig, labels, name
from oneco.kube.refs import Address, Resource
from oneco.worlds.apiserver.core import Caller
from oneco.worlds.embedded import signing
from oneco.worlds.embedded.identity import (
    ADMINISTRATORS,
    BOOTSTRAP,
    SPENT,
    User,
    cluster_of_agent,
    clusters_to_join,
)

_CLUSTERS = ("cluster.open-cluster-management.io", "managedclusters")
_REQUESTS = ("certificates.k8s.io", "certificatesigningrequests")
_READ = frozenset({"get", "list", "watch"})
_CHANGED = _READ | {"patch", "update"}
_MADE = _CHANGED | {"create", "delete"}
# Nothing that the hub takes orders from: an Application in this namespace would reach every
# cluster, and a CheckRun would say that its own release is good.
_AGENTS_OWN = {
    ("work.open-cluster-management.io", "manifestworks"): _CHANGED,
    ("addon.open-cluster-management.io", "managedclusteraddons"): _CHANGED,
    ("onepersoncompany.io", "observations"): _MADE,
    ("coordination.k8s.io", "leases"): _MADE,
    ("", "events"): _MADE,
    ("events.k8s.io", "events"): _MADE,
}
"""What an agent may do in the namespace of its cluster, subresources included."""
_OWN_REVIEWS = (
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authentication.k8s.io", "selfsubjectreviews"),
)
_PUBLIC_PATHS = ("/livez", "/readyz", "/healthz", "/version")
_DISCOVERY_PATHS = ("/api", "/apis", "/openapi")


def authorize(user: User, verb: str, address: Address) -> None:
    """Forbidden, in Kubernetes' words, unless `user` may do `verb` at `address`.

    For a list or watch that is limited to one name, `address` carries that name.
    """
    if ADMINISTRATORS in user.groups:
        return
    if address.resource[::2] in _OWN_REVIEWS and not user.is_anonymous and verb == "create":
        return
    cluster = cluster_of_agent(user)
    if cluster and _agent_may(cluster, verb, address):
        return
    if BOOTSTRAP in user.groups and _newcomer_may(verb, address) and _is_bound_to(user, address):
        return
    if SPENT in user.groups and _is_fetching(verb, address):
        return
    raise forbidden(user, verb, address)


def review(caller: Caller, spec: Object) -> tuple[bool, str]:
    """Whether the caller may do what the `spec` of an access review asks for, and why not."""
    user, path = User(caller.user, caller.groups), spec.get("nonResourceAttributes")
    asked = spec.get("resourceAttributes") or {}
    resource = Resource(asked.get("group", ""), asked.get("version", ""), asked.get("resource", ""))
    place = [asked.get(part, "") for part in ("namespace", "name", "subresource")]
    try:
        if path:
            authorize_path(user, path.get("path", ""))
        else:
            authorize(user, asked.get("verb", ""), Address(resource, *place))
    except Forbidden as refusal:
        return False, refusal.message
    return True, ""


def authorize_path(user: User, path: str) -> None:
    """Forbidden unless `user` may read `path`, which names no resource."""
    if path in _PUBLIC_PATHS or path.startswith(tuple(f"{one}/" for one in _PUBLIC_PATHS)):
        return
    is_discovery = any(path == one or path.startswith(f"{one}/") for one in _DISCOVERY_PATHS)
    if ADMINISTRATORS in user.groups or (is_discovery and not user.is_anonymous):
        return
    raise Forbidden(f'forbidden: User "{user.name}" cannot get path "{path}"')


def check_content(user: User, verb: str, address: Address, obj: Object) -> None:
    """Forbidden where an agent or newcomer writes or reads what is not its own.

    `obj` is what would be written or was read.
    """
    place = (address.resource.group, address.resource.plural)
    if ADMINISTRATORS in user.groups or place not in (_CLUSTERS, _REQUESTS):
        return
    if place == _CLUSTERS:
        bound = clusters_to_join(user)
        if bound and name(obj) not in bound:
            raise forbidden(user, verb, address, f"this token is for {', '.join(sorted(bound))}")
        # To ask is the newcomer's part, to accept is the person's.
        if verb == "create" and dig(obj, "spec", "hubAcceptsClient"):
            raise forbidden(user, verb, address, "only an administrator accepts a cluster")
        return
    if verb == "create":
        _check_request(user, address, obj)
    elif dig(obj, "spec", "username") != user.name:
        raise forbidden(user, verb, address, "it was made by another user")


def forbidden(user: User, verb: str, address: Address, why: str = "") -> Forbidden:
    """The refusal as a kube-apiserver words it."""
    resource = address.resource
    qualified = f"{resource.plural}.{resource.group}" if resource.group else resource.plural
    shown = f"{resource.plural}/{address.subresource}" if address.subresource else resource.plural
    scope = (
        f'in the namespace "{address.namespace}"' if address.namespace else "at the cluster scope"
    )
    named = f'{qualified} "{address.name}"' if address.name else qualified
    message = (
        f'{named} is forbidden: User "{user.name}" cannot {verb} resource "{shown}"'
        f' in API group "{resource.group}" {scope}'
    )
    details = {"name": address.name, "group": resource.group, "kind": resource.plural}
    details = {key: value for key, value in details.items() if value}
    return Forbidden(f"{message}: {why}" if why else message, details=details)


def _agent_may(cluster: str, verb: str, address: Address) -> bool:
    place = (address.resource.group, address.resource.plural)
    if address.namespace:
        return address.namespace == cluster and verb in _AGENTS_OWN.get(place, ())
    if place == _REQUESTS:
        return _newcomer_may(verb, address)
    if place == _CLUSTERS and address.name == cluster:
        if address.subresource == "status":
            return verb in ("get", "patch", "update")
        return not address.subresource and verb in ("get", "list", "watch")
    return False


def _newcomer_may(verb: str, address: Address) -> bool:
    if address.subresource or address.namespace:
        return False
    place = (address.resource.group, address.resource.plural)
    is_own = bool(address.name) and verb == "get"
    return place in (_CLUSTERS, _REQUESTS) and (verb == "create" or is_own)


def _is_bound_to(user: User, address: Address) -> bool:
    """Whether `address` names a cluster that the token of `user` is for, or no cluster."""
    bound = clusters_to_join(user)
    is_cluster = address.resource[::2] == _CLUSTERS and bool(address.name)
    return not (is_cluster and bound) or address.name in bound


def _is_fetching(verb: str, address: Address) -> bool:
    place = (address.resource.group, address.resource.plural)
    is_own = bool(address.name) and not address.subresource
    return place == _REQUESTS and is_own and verb == "get"


def _check_request(user: User, address: Address, obj: Object) -> None:
    """An agent asks only for the certificate of an agent of the cluster that it says it is of."""
    subject = signing.agent_subject(obj)
    if not subject:
        raise forbidden(user, "create", address, signing.WANTED)
    cluster, bound = cluster_of_agent(user), clusters_to_join(user)
    if bound and labels(obj).get(signing.CLUSTER_LABEL) not in bound:
        raise forbidden(user, "create", address, f"this token is for {', '.join(sorted(bound))}")
    if cluster and subject != user.name:
        raise forbidden(user, "create", address, "an agent renews only its own certificate")
