"""How far the roles of agents and newcomers reach."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from oneco.fleet import rights
from oneco.fleet.joining import AGENT_PREFIX, AGENTS_GROUP, FETCHERS_GROUP, JOINERS_GROUP
from oneco.generated import policy
from oneco.kinds import ocm
from oneco.kube import rbac
from oneco.kube.objects import put
from oneco.kube.rbac import Asked, RoleBook, User

WORKS, CLUSTERS = ocm.WORKS.group, ocm.CLUSTERS.group
CSR = "certificates.k8s.io"
OURS = "onepersoncompany.io"
FLEET = ("c1", "c10", "c", "prod", "prod-2", "1c", "a-b")


def an_agent(cluster: str) -> User:
    groups = (AGENT_PREFIX + cluster, AGENTS_GROUP, "system:authenticated")
    return User(f"{AGENT_PREFIX}{cluster}:a", groups)


AGENT = an_agent("c1")
INVITED = User("system:bootstrap:abcdef", ("system:bootstrappers", JOINERS_GROUP))
FETCHER = User("system:bootstrap:abcdef", ("system:bootstrappers", FETCHERS_GROUP))
KINDS = [(group, plural) for group, plural, _ in rights._AGENTS_OWN] + [
    ("", "secrets"),
    ("core.oam.dev", "applications"),
    ("", "pods"),
    (OURS, "releaseunits"),
]
VERBS = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]


def a_book() -> RoleBook:
    """The roles of a hub with the clusters of FLEET, and what every API server has."""
    book = RoleBook()
    for row in policy.OBJECTS:
        book.put(msgspec.json.decode(row))
    for _, obj in rights.for_hub():
        book.put(obj)
    for name in FLEET:
        for obj in rights.of_cluster({"metadata": {"name": name, "uid": "u"}}).values():
            book.put(obj)
    return book


BOOK = a_book()


@pytest.mark.parametrize(
    ("user", "asked"),
    [
        (AGENT, Asked("patch", WORKS, "manifestworks", "status", "c1", "w")),
        (AGENT, Asked("watch", WORKS, "manifestworks", "", "c1")),
        (AGENT, Asked("patch", WORKS, "manifestworks", "", "c1", "w")),
        (AGENT, Asked("create", OURS, "observations", "", "c1")),
        (AGENT, Asked("update", OURS, "observations", "", "c1", "w")),
        (AGENT, Asked("patch", "coordination.k8s.io", "leases", "", "c1", "managed-cluster-lease")),
        (AGENT, Asked("create", "events.k8s.io", "events", "", "c1")),
        (AGENT, Asked("patch", "", "events", "", "c1", "e")),
        (AGENT, Asked("get", CLUSTERS, "managedclusters", "", "", "c1")),
        (AGENT, Asked("watch", CLUSTERS, "managedclusters", "", "", "c1")),
        (AGENT, Asked("patch", CLUSTERS, "managedclusters", "status", "", "c1")),
        (AGENT, Asked("create", CSR, "certificatesigningrequests")),
        (AGENT, Asked("get", CSR, "certificatesigningrequests", "", "", "r")),
        (AGENT, Asked("get", path="/apis")),
        (INVITED, Asked("create", CSR, "certificatesigningrequests")),
        (INVITED, Asked("get", CSR, "certificatesigningrequests", "", "", "r")),
        (FETCHER, Asked("get", CSR, "certificatesigningrequests", "", "", "r")),
    ],
)
def test_what_is_allowed(user, asked):
    assert BOOK.verdict(user, asked).is_allowed


@pytest.mark.parametrize(
    ("user", "asked"),
    [
        (AGENT, Asked("get", WORKS, "manifestworks", "", "c10", "w")),
        (AGENT, Asked("list", WORKS, "manifestworks")),
        (AGENT, Asked("create", WORKS, "manifestworks", "", "c1")),
        (AGENT, Asked("delete", WORKS, "manifestworks", "", "c1", "w")),
        (AGENT, Asked("deletecollection", "coordination.k8s.io", "leases", "", "c1")),
        (AGENT, Asked("get", "", "secrets", "", "c1", "s")),
        (AGENT, Asked("create", "core.oam.dev", "applications", "", "c1")),
        (AGENT, Asked("create", OURS, "releases", "", "c1")),
        (AGENT, Asked("patch", OURS, "releaseunits", "status", "c1", "u")),
        (AGENT, Asked("patch", OURS, "checkruns", "status", "c1", "r")),
        (AGENT, Asked("list", CLUSTERS, "managedclusters")),
        (AGENT, Asked("get", CLUSTERS, "managedclusters", "", "", "c2")),
        (AGENT, Asked("patch", CLUSTERS, "managedclusters", "", "", "c1")),
        (AGENT, Asked("delete", CLUSTERS, "managedclusters", "", "", "c1")),
        (AGENT, Asked("delete", "", "namespaces", "", "c1", "c1")),
        (AGENT, Asked("update", CSR, "certificatesigningrequests", "approval", "", "r")),
        (AGENT, Asked("list", CSR, "certificatesigningrequests")),
        (AGENT, Asked("get", rbac.GROUP, "rolebindings", "", "c1", rights.AGENT_ROLE)),
        (AGENT, Asked("get", path="/metrics")),
        (INVITED, Asked("list", CSR, "certificatesigningrequests")),
        (INVITED, Asked("update", CSR, "certificatesigningrequests", "approval", "", "r")),
        (INVITED, Asked("get", CLUSTERS, "managedclusters", "", "", "c1")),
        (INVITED, Asked("create", CLUSTERS, "managedclusters")),
        (INVITED, Asked("get", WORKS, "manifestworks", "", "c1", "w")),
        (FETCHER, Asked("create", CSR, "certificatesigningrequests")),
        (FETCHER, Asked("list", CSR, "certificatesigningrequests")),
    ],
)
def test_what_is_forbidden(user, asked):
    assert not BOOK.verdict(user, asked).is_allowed


def tricks(name: str) -> some.SearchStrategy[str]:
    """Names that look like the name of a cluster, or come out of it."""
    near = [f"{name}-2", name[:-1], f"{name}0", name.upper(), f"{name}.", f"{name}:", f"{name}/"]
    near += [f"{name}:a", f" {name}", f"{name}\n", f"{name}*", "*", "", f"{name}\u200b", f".{name}"]
    letters = some.characters(codec="utf-8")
    return some.sampled_from([*FLEET, *near]) | some.text(letters, max_size=12)


@given(cluster=some.sampled_from(FLEET), data=some.data())
def test_no_agent_reaches_the_namespace_of_another_cluster(cluster, data):
    elsewhere = data.draw(tricks(cluster), "namespace")
    if elsewhere == cluster:
        return
    group, plural = data.draw(some.sampled_from(KINDS), "kind")
    for subresource in ("", "status"):
        for verb in VERBS:
            for name in ("", cluster, elsewhere):
                asked = Asked(verb, group, plural, subresource, elsewhere, name)
                assert not BOOK.verdict(an_agent(cluster), asked).is_allowed, asked


@given(cluster=some.sampled_from(FLEET), data=some.data())
def test_nobody_with_a_name_like_an_agents_is_one(cluster, data):
    other = data.draw(tricks(cluster), "cluster of the certificate")
    if other == cluster:
        return
    asked = Asked("get", WORKS, "manifestworks", "", cluster, "w")
    assert not BOOK.verdict(an_agent(other), asked).is_allowed
    assert not BOOK.verdict(User(f"{AGENT_PREFIX}{cluster}:a", (AGENTS_GROUP,)), asked).is_allowed


def test_a_role_or_binding_that_says_something_else_is_seen():
    cluster = {"metadata": {"name": "c1", "uid": "u"}}
    for address, wanted in rights.of_cluster(cluster).items():
        assert rights.is_as_wanted(wanted, wanted)
        field = ("rules",) if "rules" in wanted else ("subjects",)
        assert not rights.is_as_wanted(put(wanted, field, []), wanted), address
        assert not rights.is_as_wanted(put(wanted, ("metadata", "ownerReferences"), []), wanted)
