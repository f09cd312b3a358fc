"""What is divided into batches, and the works that say so."""

from __future__ import annotations

from oneco.main.workloads import WORKLOADS as ALL_WORKLOADS
from oneco.release import variants, works
from oneco.release.ports import Gate
from oneco.release.variants import identity
from tests.release.given import V1, V2, WORKLOADS, a_config, a_deployment, a_variant, gated

ORIGIN = works.Origin("here", "shop-1234", "default/shop", "shop-v2")


def divided(target, before):
    return [one["metadata"]["name"] for one in variants.divided(target, before, WORKLOADS)]


def test_a_workload_that_is_written_in_another_version_of_its_api_is_still_the_same_one():
    def clones(version, image):
        made = a_deployment("web", image=image)
        return {**made, "apiVersion": f"apps.kruise.io/{version}", "kind": "CloneSet"}

    target, before = a_variant(clones("v1beta1", "web:2")), a_variant(clones("v1alpha1", "web:1"))
    found = variants.divided(target, before, ALL_WORKLOADS)
    assert [one["apiVersion"] for one in found] == ["apps.kruise.io/v1beta1"]


def test_a_workload_is_divided_if_its_pods_would_be_replaced():
    target = a_variant(
        a_deployment("changed", image="web:2"),
        a_deployment("same"),
        a_deployment("scaled", replicas=20),
        a_config(colour="red"),
    )
    before = a_variant(
        a_deployment("changed"), a_deployment("same"), a_deployment("scaled"), a_config()
    )
    assert divided(target, before) == ["changed"]


def test_a_new_workload_has_no_old_pods_to_keep():
    assert divided(a_variant(a_deployment("new")), a_variant(a_config())) == []


def test_a_deployment_that_recreates_all_its_pods_cannot_be_divided():
    at_once = {"type": "Recreate"}
    target = a_variant(a_deployment(image="web:2", strategy=at_once))
    assert divided(target, a_variant(a_deployment(strategy=at_once))) == []


def test_a_batch_holds_its_workload_and_changes_nothing_else():
    target = a_variant(a_deployment(image="web:2"), a_config(colour="red"))
    deployment = target.manifests[0]
    content = works.content(target, {identity(deployment): Gate(3, 0, 10)}, WORKLOADS)
    held, config = content.spec["workload"]["manifests"]
    assert held["metadata"]["annotations"]["onepersoncompany.io/partition"] == "3"
    assert held["spec"]["template"] == deployment["spec"]["template"]
    assert held["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 3}
    assert config is target.manifests[1]


def test_a_work_that_holds_nothing_back_says_exactly_what_the_revision_says():
    content = works.content(V2, {}, WORKLOADS)
    assert content.spec["workload"]["manifests"] == list(V2.manifests)


def test_equal_contents_have_one_hash_and_different_ones_another():
    assert gated(1).hash == gated(1).hash
    assert len({gated(1).hash, gated(5).hash, gated(10).hash, gated(10, V1).hash}) == 4


def test_namespaces_of_an_applications_own_are_made_and_those_it_brings_are_not_made_twice():
    def of(*manifests):
        content = works.content(a_variant(*manifests), {}, WORKLOADS)
        return [
            (one["kind"], one["metadata"]["name"]) for one in content.spec["workload"]["manifests"]
        ]

    there = {**a_config(), "metadata": {"name": "settings", "namespace": "shop"}}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    assert of(there) == [("Namespace", "shop"), ("ConfigMap", "settings")]
    assert of(space, there) == [("Namespace", "shop"), ("ConfigMap", "settings")]
    assert of(a_config()) == [("ConfigMap", "settings")]


def test_a_new_work_carries_whose_it_is_and_what_it_says():
    work = works.build(ORIGIN, gated(1), None)
    annotations = work["metadata"]["annotations"]
    assert work["metadata"]["namespace"] == "here"
    assert annotations["onepersoncompany.io/application"] == "default/shop"
    assert annotations["onepersoncompany.io/revision"] == "shop-v2"
    assert works.is_current(work, gated(1))
    assert not works.is_current(work, gated(5))
    assert not works.is_current(None, gated(1))


def test_an_old_work_keeps_its_version_and_everything_that_others_wrote_on_it():
    old = works.build(ORIGIN, gated(1), None)
    meta = {
        **old["metadata"],
        "resourceVersion": "9",
        "finalizers": ["theirs"],
        "annotations": {**old["metadata"]["annotations"], "theirs": "yes"},
    }
    new = works.build(ORIGIN, gated(5), {**old, "metadata": meta, "status": {"their": "own"}})
    assert new["metadata"]["resourceVersion"] == "9"
    assert new["metadata"]["finalizers"] == ["theirs"]
    assert new["metadata"]["annotations"]["theirs"] == "yes"
    assert new["status"] == {"their": "own"}
    assert works.is_current(new, gated(5))


def test_live_paths_are_asked_for_under_names_that_a_work_may_have():
    paths = ("status.readyReplicas",)
    variant = variants.Variant("r", "h", (a_deployment(),), (paths,))
    (config,) = works.content(variant, {}, WORKLOADS).spec["manifestConfigs"]
    assert config["resourceIdentifier"] == {
        "group": "apps",
        "resource": "deployments",
        "namespace": "default",
        "name": "web",
    }
    (rule,) = config["feedbackRules"]
    assert rule["jsonPaths"] == [{"name": "status-readyReplicas", "path": "status.readyReplicas"}]


def test_a_variant_is_found_in_its_revision_and_no_variant_means_nothing():
    revision = {
        "metadata": {"name": "shop-v2"},
        "spec": {"variants": [{"hash": "h", "manifests": [{"manifest": a_config()}]}]},
    }
    assert variants.find(revision, "") is variants.NOTHING
    assert variants.find(revision, "unknown") is None
    assert variants.find(None, "h") is None
    found = variants.find(revision, "h")
    assert found is not None and found.revision == "shop-v2"
    assert variants.find(revision, "h") is found
