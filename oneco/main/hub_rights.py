"""The rights with which a hub's process does all its work, and not one more.

What it reads is what its deciders watch; what it writes stands in a table. A hub may give an agent
only what it may do itself, so that the rights of agents are here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from oneco.control.election import LEASES
from oneco.fleet import rights
from oneco.fleet.clusters import CONFIG_MAPS, NAMESPACES
from oneco.fleet.joining import REQUESTS, SIGNER
from oneco.kinds import ocm
from oneco.kinds.oam import APPLICATIONS, REVISIONS
from oneco.kinds.release import CHECK_RUNS, OBSERVATIONS, RELEASES, UNITS
from oneco.kube.objects import Object
from oneco.kube.refs import Resource
from oneco.main import controllers
from oneco.main.crds import DEFINITIONS
from oneco.main.kubeconfigs import SECRETS

WEBHOOKS: Final = Resource("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations")
ACCOUNT: Final = "oneco-hub"
"""The service account of the hub's process, its roles and their bindings."""
WEBHOOK: Final = "oneco-validity"
"""The configuration by which the API server asks the hub, and the Secret of its certificate."""

_READ: Final = ("get", "list", "watch")
_MADE: Final = ("create", "update", "patch", "delete")
_SHOWN: Final = ("update", "patch")
# By resource: what is done to its objects, and whether their status is written apart.
_WRITES: Final[Mapping[Resource, tuple[tuple[str, ...], bool]]] = {
    APPLICATIONS: (("patch",), True),
    REVISIONS: (("create", "update", "delete"), True),
    RELEASES: (("create", "delete"), True),
    UNITS: (_MADE, True),
    CHECK_RUNS: (("create", "patch", "delete"), False),
    ocm.PLACEMENTS: (("create", "delete"), False),
    ocm.PLACEMENT_DECISIONS: (("create", "delete"), True),
    ocm.CLUSTERS: (("patch",), True),
    ocm.WORKS: (_MADE, True),
    OBSERVATIONS: (_MADE, False),
    NAMESPACES: (("create", "patch"), False),
    LEASES: (("create", "update", "patch", "delete"), False),
    rights.ROLES: (("create", "patch", "delete"), False),
    rights.BINDINGS: (("create", "patch", "delete"), False),
    rights.LOCAL_BINDINGS: (("create", "patch", "delete"), False),
}
_ROLES_GIVEN: Final = (rights.AGENT_ROLE, rights.JOIN_ROLE, rights.FETCH_ROLE)


def everywhere() -> list[Object]:
    """The rules that hold in the whole cluster."""
    reads = {
        one.resource for each in controllers.hub() for one in each.sources if not one.namespace
    }
    resources = sorted(reads | set(_WRITES))
    rules = [rule for one in resources for rule in _of(one, is_read=one in reads)]
    return [*_merged(rules), *_single_rules()]


def in_own_namespace() -> list[Object]:
    """The rules that hold in the hub's own namespace only."""
    made = (*_READ, "create", "patch")
    certificate = {"resourceNames": [WEBHOOK]}
    return [
        _rule(CONFIG_MAPS, made),
        # The kubeconfigs of members that the hub reaches itself, and its own certificate.
        _rule(SECRETS, (*_READ, "create")),
        {**_rule(SECRETS, ("update",)), **certificate},
    ]


def over_tokens() -> list[Object]:
    """The rules in the namespace of join tokens: one is spent when it is used, and goes in time."""
    return [_rule(SECRETS, (*_READ, "patch", "delete"))]


def _single_rules() -> Iterator[Object]:
    yield _rule(DEFINITIONS, ("get",))
    yield _rule(REQUESTS, ("patch", "update"), "approval")
    yield {
        "apiGroups": [REQUESTS.group],
        "resources": ["signers"],
        "resourceNames": [SIGNER],
        "verbs": ["approve"],
    }
    # An agent asks for its certificate itself: the hub has to be able to let it.
    yield _rule(REQUESTS, ("create",))
    yield {**_rule(rights.ROLES, ("bind",)), "resourceNames": list(_ROLES_GIVEN)}
    yield {**_rule(WEBHOOKS, ("get", "patch")), "resourceNames": [WEBHOOK]}


def _of(resource: Resource, *, is_read: bool) -> Iterator[Object]:
    verbs, is_shown = _WRITES.get(resource, ((), False))
    yield _rule(resource, (*(_READ if is_read else ()), *verbs))
    if is_shown:
        also = ("get",) if resource == ocm.CLUSTERS else ()
        yield _rule(resource, (*also, *_SHOWN), "status")


def _merged(rules: Iterable[Object]) -> list[Object]:
    """The same rules, those of one group with the same verbs in one."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for one in rules:
        key = (one["apiGroups"][0], tuple(one["verbs"]))
        found.setdefault(key, []).extend(one["resources"])
    return [
        {"apiGroups": [group], "resources": sorted(names), "verbs": list(verbs)}
        for (group, verbs), names in found.items()
        if verbs
    ]


def _rule(resource: Resource, verbs: tuple[str, ...], subresource: str = "") -> dict[str, Any]:
    plural = f"{resource.plural}/{subresource}" if subresource else resource.plural
    return {"apiGroups": [resource.group], "resources": [plural], "verbs": list(verbs)}
