"""What is refused beyond the schema, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from oneco.kinds import validity


def an_application(*components: dict, policies: Any = (), workflow: Any = None, name: str = "shop"):
    spec: dict[str, Any] = {"components": list(components), "policies": list(policies)}
    if workflow is not None:
        spec["workflow"] = workflow
    return _object("core.oam.dev/v1beta1", "Application", spec, name)


def a_component(name: str, *needs: str, **more: Any) -> dict:
    return {"name": name, "type": "webservice", "dependsOn": list(needs), **more}


def a_policy(**spec: Any) -> dict:
    return _object("onepersoncompany.io/v1alpha1", "ReleasePolicy", spec)


def a_release(**spec: Any) -> dict:
    whole = {"application": "shop", "revision": "shop-v1", **spec}
    return _object("onepersoncompany.io/v1alpha1", "Release", whole)


def a_fleet(*clusters: dict, **spec: Any) -> dict:
    return _object("onepersoncompany.io/v1alpha1", "Fleet", {"clusters": list(clusters), **spec})


def a_fault(**spec: Any) -> dict:
    return _object("onepersoncompany.io/v1alpha1", "Fault", spec)


def a_rehearsal(**spec: Any) -> dict:
    return _object("onepersoncompany.io/v1alpha1", "Rehearsal", spec)


def _object(api_version: str, kind: str, spec: dict, name: str = "one") -> dict:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "spec": spec}


def mistakes(obj: dict, old: dict | None = None) -> list[str]:
    return [f"{cause.field}: {cause.message}" for cause in validity.validate(obj, old)]


def test_a_good_application_has_no_mistakes():
    policy = {"name": "slowly", "type": "release", "properties": {"batches": [0, 1, "10%", "100%"]}}
    steps = {"steps": [{"type": "deploy", "name": "first", "timeout": "10m"}]}
    web, cart = a_component("web", "cart"), a_component("cart")
    assert mistakes(an_application(web, cart, policies=[policy], workflow=steps)) == []


def test_a_cycle_of_components_is_named():
    looped = [a_component("a", "b"), a_component("b", "c"), a_component("c", "a")]
    assert mistakes(an_application(*looped)) == [
        'spec.components[0].dependsOn: Invalid value: "a → b → c → a": '
        "wanted no circle: remove one of these dependencies"
    ]


def test_a_component_that_needs_itself_is_a_cycle():
    assert mistakes(an_application(a_component("a", "a"))) == [
        'spec.components[0].dependsOn: Invalid value: "a → a": '
        "wanted no circle: remove one of these dependencies"
    ]


def test_a_chain_of_ten_thousand_components_is_judged():
    chain = [a_component(f"c{i}", f"c{i + 1}") for i in range(10_000)]
    last = a_component("c10000", "c0")
    (found,) = validity.validate(an_application(*chain, last))
    assert found.message.endswith("wanted no circle: remove one of these dependencies")


def test_an_unknown_dependency_is_answered_with_the_known_names():
    assert mistakes(an_application(a_component("web", "carts"), a_component("cart"))) == [
        'spec.components[0].dependsOn[0]: Invalid value: "carts": wanted one of: cart'
    ]


def test_two_components_of_one_name_are_refused():
    assert mistakes(an_application(a_component("web"), a_component("web"))) == [
        'spec.components[1].name: Invalid value: "web": '
        "wanted a name of its own; spec.components[0].name has it already"
    ]


@pytest.mark.parametrize("name", ["Web", "web_1", "web.one", "-web", "w" * 64, ""])
def test_a_component_name_that_is_no_dns_label_is_refused(name):
    (found,) = {cause.field for cause in validity.validate(an_application(a_component(name)))}
    assert found == "spec.components[0].name"


def test_two_traits_of_one_type_are_allowed():
    sidecars = [{"type": "sidecar", "properties": {}}, {"type": "sidecar", "properties": {}}]
    assert mistakes(an_application(a_component("web", traits=sidecars))) == []


def test_a_misspelt_field_of_an_inline_release_policy_is_refused():
    policy = {"name": "p", "type": "release", "properties": {"batchs": ["100%"]}}
    (found,) = mistakes(an_application(a_component("web"), policies=[policy]))
    assert found.startswith(
        "spec.policies[0].properties.batchs: Forbidden: there is no such field;"
    )


def test_a_wrong_type_in_an_inline_release_policy_is_refused_at_its_path():
    policy = {"name": "p", "type": "release", "properties": {"waves": [{"silence": 10}]}}
    (found,) = validity.validate(an_application(a_component("web"), policies=[policy]))
    assert found.field == "spec.policies[0].properties.waves[0].silence"


def test_two_release_policies_in_one_application_are_refused():
    policies = [{"name": name, "type": "release"} for name in ("one", "two")]
    assert mistakes(an_application(a_component("web"), policies=policies)) == [
        "spec.policies[1].type: Forbidden: spec.policies[0] is of that type; "
        "an Application has one release policy"
    ]


def test_workflow_steps_need_names_of_their_own_and_known_dependencies():
    steps = [
        {"type": "deploy", "name": "one", "timeout": "10"},
        {"type": "deploy", "name": "one", "dependsOn": ["two"]},
        {"type": "step-group", "name": "all", "subSteps": [{"type": "deploy", "name": "one"}]},
    ]
    found = [
        c.field
        for c in validity.validate(an_application(a_component("w"), workflow={"steps": steps}))
    ]
    assert found == [
        "spec.workflow.steps[0].timeout",
        "spec.workflow.steps[1].name",
        "spec.workflow.steps[2].subSteps[0].name",
        "spec.workflow.steps[1].dependsOn[0]",
    ]


def test_a_bare_number_as_duration_is_told_that_it_has_no_unit():
    assert mistakes(a_policy(waves=[{"silence": "10"}])) == [
        'spec.waves[0].silence: Invalid value: "10": '
        'wanted a duration such as "10m"; a bare number has no unit'
    ]


def test_no_time_at_all_to_get_ready_is_refused():
    assert mistakes(a_policy(progressDeadline="0s")) == [
        'spec.progressDeadline: Invalid value: "0s": wanted a time in which a batch can get ready, '
        'such as "10m"'
    ]


@pytest.mark.parametrize(
    "batches",
    [["100%"], [0, 1, "100%"], ["0%", "1%", "50%", "100%"], [1, 5, "10%", "100%"], []],
)
def test_batches_that_rise_to_everything_are_accepted(batches):
    assert mistakes(a_policy(batches=batches)) == []


@pytest.mark.parametrize(
    ("batches", "found"),
    [
        (["50%", "10%", "100%"], '[1]: Invalid value: "10%": wanted more than "50%": {}'),
        ([5, 5, "100%"], "[1]: Invalid value: 5: wanted more than 5: {}"),
        (["10%"], '[0]: Invalid value: "10%": wanted "100%" as the last batch'),
        ([1, 2], '[1]: Invalid value: 2: wanted "100%" as the last batch'),
        (["101%"], '[0]: Invalid value: "101%": wanted a number such as 3 or a share {}'),
        (["5"], '[0]: Invalid value: "5": wanted a number such as 3 or a share {}'),
        ([-1], "[0]: Invalid value: -1: wanted a number such as 3 or a share {}"),
    ],
)
def test_batches_that_do_not_rise_to_everything_are_refused(batches, found):
    rest = "batches are cumulative" if "more than" in found else 'from "0%" to "100%"'
    assert mistakes(a_policy(batches=batches)) == [f"spec.batches{found.format(rest)}"]


@pytest.mark.parametrize("up_to", ["0%", 0, "ten", "110%", -3])
def test_a_wave_that_can_release_nothing_is_refused(up_to):
    (found,) = validity.validate(a_policy(waves=[{"upTo": up_to}]))
    assert found.field == "spec.waves[0].upTo"


def test_a_misspelt_environment_is_told_the_nearest():
    assert mistakes(a_policy(waves=[{"environments": ["prodution"]}])) == [
        'spec.waves[0].environments[0]: Invalid value: "prodution": wanted "production", or a name '
        "less like it; known are e2e, test, staging, canary, small-traffic, production"
    ]


def test_an_environment_of_ones_own_is_accepted():
    assert mistakes(a_policy(waves=[{"environments": ["qa", "canary-2", "integration"]}])) == []


def test_two_waves_of_one_name_are_refused():
    (found,) = validity.validate(a_policy(waves=[{"name": "first"}, {"name": "first"}]))
    assert found.field == "spec.waves[1].name"


def test_a_release_may_only_be_paused_or_asked():
    old = a_release(targets=[{"variant": "v", "clusters": ["c1"]}])
    assert mistakes({**old, "spec": {**old["spec"], "paused": True, "request": "Abort"}}, old) == []
    moved = {**old, "spec": {**old["spec"], "revision": "shop-v2", "targets": []}}
    assert [cause.field for cause in validity.validate(moved, old)] == [
        "spec.revision",
        "spec.targets",
    ]


def test_a_release_names_each_cluster_once():
    targets = [{"variant": "a", "clusters": ["c1", "c2"]}, {"variant": "b", "clusters": ["c1"]}]
    assert mistakes(a_release(targets=targets)) == [
        'spec.targets[1].clusters[0]: Invalid value: "c1": '
        "wanted each cluster once; it stands at spec.targets[0].clusters[0] too"
    ]


def test_a_unit_never_moves_to_another_cluster_but_may_be_claimed():
    spec = {"application": "shop", "applicationNamespace": "default", "cluster": "c1"}
    old = _object("onepersoncompany.io/v1alpha1", "ReleaseUnit", spec)
    assert mistakes({**old, "spec": {**spec, "release": "shop-2", "wave": 1}}, old) == []
    (found,) = validity.validate({**old, "spec": {**spec, "cluster": "c2"}}, old)
    assert found.field == "spec.cluster"


def test_a_cluster_name_has_to_be_the_name_of_a_namespace():
    kind = ("cluster.open-cluster-management.io/v1", "ManagedCluster")
    assert mistakes(_object(*kind, {}, "east-1")) == []
    (found,) = validity.validate(_object(*kind, {}, "east.one"))
    assert (found.field, found.message) == (
        "metadata.name",
        'Invalid value: "east.one": must not contain dots',
    )
    (found,) = validity.validate(_object(*kind, {}, "kube-system"))
    assert (found.field, "wanted another name" in found.message) == ("metadata.name", True)


def test_an_object_on_its_way_out_is_never_held_back():
    broken = an_application(a_component("a", "a"))
    broken["metadata"]["deletionTimestamp"] = "2026-11-21T10:00:00Z"
    assert mistakes(broken) == []


def test_a_status_is_written_however_wrong_the_rest_is():
    broken = an_application(a_component("a", "a"))
    assert mistakes({**broken, "status": {"status": "running"}}, broken) == []


def test_a_good_fleet_has_no_mistakes():
    clusters = [
        {"name": "test", "environment": "test", "nodes": 1},
        {"name": "prod", "count": 12, "nodes": {"count": 5, "cpu": "8", "memory": "32Gi"}},
    ]
    assert (
        mistakes(a_fleet(*clusters, defaults={"region": "eu", "environment": "production"})) == []
    )


@pytest.mark.parametrize(
    ("cluster", "field"),
    [
        ({"name": "Prod"}, "spec.clusters[0].name"),
        ({"name": "default"}, "spec.clusters[0].name"),
        ({"name": "p" * 60, "count": 2}, "spec.clusters[0].name"),
        ({"name": "p", "nodes": 0}, "spec.clusters[0].nodes"),
        ({"name": "p", "nodes": "three"}, "spec.clusters[0].nodes"),
        ({"name": "p", "nodes": {"cpu": "much"}}, "spec.clusters[0].nodes.cpu"),
        ({"name": "p", "environment": "cannary"}, "spec.clusters[0].environment"),
        ({"name": "p", "labels": {"a b": "c"}}, "spec.clusters[0].labels"),
    ],
)
def test_a_cluster_that_cannot_be_is_refused(cluster, field):
    assert {cause.field for cause in validity.validate(a_fleet(cluster))} == {field}


def test_what_is_neither_a_number_nor_a_size_is_shown_as_it_was_written():
    assert mistakes(a_fleet({"name": "p", "nodes": "three"})) == [
        'spec.clusters[0].nodes: Invalid value: "three": wanted an integer or a map'
    ]


def test_two_clusters_of_one_name_are_refused_also_after_counting():
    (found,) = validity.validate(a_fleet({"name": "p", "count": 3}, {"name": "p-002"}))
    assert found.field == "spec.clusters[1].name"


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"type": "CrashLoop"}, "spec.image"),
        ({"type": "Unreachable", "image": "web:v2"}, "spec.image"),
        ({"type": "NodeLoss"}, "spec.node"),
        ({"type": "NotReady", "image": "web:v2", "from": "2h", "until": "1h"}, "spec.until"),
        ({"type": "SlowStart", "image": "web:v2", "delay": "soon"}, "spec.delay"),
        ({"type": "ErrorRate", "image": "web:v2", "share": "half"}, "spec.share"),
        ({"type": "Load", "image": "web:v2"}, "spec.amount"),
        ({"type": "Load", "amount": "2"}, "spec.image"),
    ],
)
def test_a_fault_that_cannot_strike_is_refused(spec, field):
    assert [cause.field for cause in validity.validate(a_fault(**spec))] == [field]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"until": "7"}, "spec.until"),
        ({"to": {"file": "../secret.yaml"}}, "spec.to.file"),
        ({"from": {"file": "v1.yaml", "revision": "shop-v1"}}, "spec.from.revision"),
        (
            {"actions": [{"at": "1h", "do": "scale", "component": "web"}]},
            "spec.actions[0].replicas",
        ),
        ({"actions": [{"at": "", "do": "pause"}]}, "spec.actions[0].at"),
        ({"faults": ["bad", "bad"]}, "spec.faults[1]"),
    ],
)
def test_a_rehearsal_that_cannot_run_is_refused(spec, field):
    assert [cause.field for cause in validity.validate(a_rehearsal(**spec))] == [field]


def test_a_deletion_is_never_wrong_to_the_admission():
    assert validity.Admission().validate("DELETE", an_application(), None) == []


def test_the_admission_names_the_kinds_with_rules():
    assert ("core.oam.dev", "Application") in validity.Admission().kinds()
    assert ("onepersoncompany.io", "Release") in validity.Admission().kinds()
