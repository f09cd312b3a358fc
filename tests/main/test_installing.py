"""`oneco install`: what comes into a cluster, what stays as it is, and which rights are given."""

from __future__ import annotations

import asyncio

import pytest

from oneco.fleet import rights
from oneco.kube import objects
from oneco.kube.refs import Address
from oneco.main import controllers, crds, epoch, hub_rights, installing, manifests
from tests.cli.given import Hub
from tests.main.test_crds import APPLICATIONS, foreign

CLUSTER = {
    "apiVersion": "cluster.open-cluster-management.io/v1",
    "kind": "ManagedCluster",
    "metadata": {"name": "c1", "uid": "1"},
}


@pytest.fixture
def hub():
    return Hub(has_our_kinds=False)


def results(hub: Hub, *, is_dry: bool = False) -> dict[str, str]:
    wanted = manifests.all("registry.example/oneco:1", 2)
    done = asyncio.run(installing.install(hub.api, wanted, is_dry=is_dry))
    return {one.title: one.result for one in done}


def test_everything_is_created_once_and_then_left_alone(hub):
    assert set(results(hub).values()) == {"created"}
    assert set(results(hub).values()) == {"unchanged"}


def test_a_dry_run_says_it_and_changes_nothing(hub):
    before = hub.version()
    assert set(results(hub, is_dry=True).values()) == {"created"}
    told = hub.type("install", "--dry-run").out.splitlines()
    assert "Namespace oneco-system created (dry run)" in told
    assert told[-1] == "Nothing was changed."
    assert hub.version() == before


def test_a_kind_of_somebody_else_is_kept(hub):
    hub.server.create(Address(crds.DEFINITIONS), foreign("v1beta1"))
    before = hub.server.get(APPLICATIONS)
    found = results(hub)
    assert found[f"CustomResourceDefinition {APPLICATIONS.name}"] == "kept"
    assert hub.server.get(APPLICATIONS) == before


def test_what_runs_is_taken_away_and_what_is_wanted_stays(hub):
    results(hub)
    done = asyncio.run(installing.uninstall(hub.api))
    assert {one.result for one in done} == {"removed"}
    for address, _ in (*manifests.kinds(), *rights.for_hub(), (epoch.NAMESPACE, {})):
        hub.server.get(address)
    again = asyncio.run(installing.uninstall(hub.api))
    assert {one.result for one in again} == {"absent"}


def test_manifests_are_printed_without_asking_any_cluster(hub):
    done = hub.type("install", "--dry-run", "-o", "yaml", "--image", "registry.example/oneco:1")
    assert done.status == 0
    assert done.out.count("\n---\n") == len(manifests.all("", 2)) - 1
    assert "image: registry.example/oneco:1" in done.out


def test_no_replica_at_all_is_refused(hub):
    assert "at least 1" in hub.type("install", "--replicas", "0", "--image", "x").err


def held() -> list:
    return hub_rights.everywhere()


def covers(rules, needed) -> bool:
    """Whether some rules give everything that one rule gives."""
    return all(
        any(
            group in one["apiGroups"] and resource in one["resources"] and verb in one["verbs"]
            for one in rules
            if "resourceNames" not in one or one["resourceNames"] == needed.get("resourceNames")
        )
        for group in needed["apiGroups"]
        for resource in needed["resources"]
        for verb in needed["verbs"]
    )


def test_the_hub_may_read_what_its_deciders_watch_and_nothing_else_everywhere():
    watched = {
        (one.resource.group, one.resource.plural)
        for each in controllers.hub()
        for one in each.sources
        if not one.namespace
    }
    listed = {
        (group, resource)
        for rule in held()
        if "list" in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert listed == watched


def test_the_hub_may_give_an_agent_its_rights():
    role = rights.of_cluster(CLUSTER)[rights.addresses("c1")[0]]
    for rule in role["rules"]:
        assert covers(held(), objects.drop(rule, ("resourceNames",))), rule
    bound = [one for one in held() if one["verbs"] == ["bind"]]
    assert bound[0]["resourceNames"] == [rights.AGENT_ROLE, rights.JOIN_ROLE, rights.FETCH_ROLE]


def test_no_right_of_the_hub_is_a_wildcard_or_lets_it_give_itself_more():
    for rule in (*held(), *hub_rights.in_own_namespace()):
        words = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
        assert not words & {"*", "escalate", "impersonate", "pods", "pods/exec"}
    assert not [one for one in held() if "secrets" in one["resources"]]
