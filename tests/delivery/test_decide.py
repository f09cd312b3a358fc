"""One Application's delivery: what is made when, and what is left alone."""

from __future__ import annotations

from oneco.decision import Change, Create
from oneco.kinds.oam import APPLICATIONS, DELIVERY_FINALIZER, REVISIONS
from oneco.kinds.ocm import PLACEMENTS
from oneco.kinds.release import POLICIES, RELEASES, UNITS
from oneco.kube import objects
from oneco.kube.objects import dig
from oneco.kube.refs import Address
from tests.delivery.hub import Hub, a_web, targets


def a_hub(*clusters: str) -> Hub:
    hub = Hub()
    for name in clusters:
        hub.cluster(name)
    return hub


def test_without_a_topology_every_accepted_cluster_gets_the_application():
    hub = a_hub("berlin", "osaka")
    hub.cluster("stranger", is_accepted=False)
    hub.application({"components": [a_web()]})
    hub.settle()
    (release,) = hub.releases()
    assert objects.name(release) == "shop-v1"
    assert targets(release) == [("berlin", "osaka")]
    assert dig(release, "spec", "policy") is None
    assert hub.status()["status"] == "runningWorkflow"


def test_the_application_gets_a_finalizer_before_anything_is_delivered():
    hub = a_hub("berlin")
    hub.application({"components": [a_web()]})
    first = hub.decide()
    change = first.actions[0]
    assert isinstance(change, Change)
    assert change.patch.body["metadata"]["finalizers"] == [DELIVERY_FINALIZER]


def test_a_second_look_changes_nothing():
    hub = a_hub("berlin")
    hub.application({"components": [a_web()]})
    hub.settle()
    assert hub.decide().actions == []


def test_a_revision_holds_the_objects_and_the_definitions_that_made_them():
    hub = a_hub("berlin")
    hub.application({"components": [a_web(traits=[{"type": "scaler"}])]})
    hub.settle()
    spec = hub.stored[Address(REVISIONS, "default", "shop-v1")]["spec"]
    (variant,) = spec["variants"]
    (manifest,) = variant["manifests"]
    assert manifest["component"] == "web"
    assert manifest["manifest"]["spec"]["replicas"] == 1
    assert manifest["manifest"]["metadata"]["labels"]["app.oam.dev/appRevision"] == "shop-v1"
    assert "status.updatedReplicas" in manifest["reads"]
    assert spec["componentDefinitions"]["webservice"]["spec"]["version"] == "v1"
    assert spec["traitDefinitions"]["scaler"]["kind"] == "TraitDefinition"
    assert spec["application"]["spec"]["components"][0]["name"] == "web"


def test_a_change_of_content_makes_the_next_revision_and_release():
    hub = a_hub("berlin")
    hub.application({"components": [a_web("nginx:1")]})
    hub.settle()
    hub.end_release("Succeeded")
    hub.settle()
    hub.application({"components": [a_web("nginx:2")]})
    hub.settle()
    assert hub.revisions() == ["shop-v1", "shop-v2"]
    assert [objects.name(one) for one in hub.releases()] == ["shop-v1", "shop-v2"]
    variants = {dig(one, "spec", "targets", 0, "variant") for one in hub.releases()}
    assert len(variants) == 2


def test_going_back_to_old_content_is_a_new_revision_with_the_old_variant():
    hub = a_hub("berlin")
    for image in ("nginx:1", "nginx:2", "nginx:1"):
        hub.application({"components": [a_web(image)]})
        hub.settle()
        hub.end_release("Succeeded")
    assert hub.revisions() == ["shop-v1", "shop-v2", "shop-v3"]
    first, _, third = hub.releases()
    assert dig(first, "spec", "targets") == dig(third, "spec", "targets")


def test_a_release_policy_is_no_content():
    hub = a_hub("berlin")
    policy = {"type": "release", "properties": {"waveSilence": "30m"}}
    hub.application({"components": [a_web()], "policies": [policy]})
    hub.settle()
    assert dig(hub.releases()[0], "spec", "policy") == {"waveSilence": "30m"}
    hub.application({"components": [a_web()]})
    hub.settle()
    assert hub.revisions() == ["shop-v1"]
    assert len(hub.releases()) == 1


def test_a_new_publish_version_is_a_revision_but_releases_only_what_failed():
    hub = a_hub("berlin")
    version = "app.oam.dev/publishVersion"
    hub.application({"components": [a_web()]}, **{version: "one"})
    hub.settle()
    hub.end_release("Succeeded")
    hub.application({"components": [a_web()]}, **{version: "two"})
    hub.settle()
    assert hub.revisions() == ["shop-v1", "shop-v2"]
    assert len(hub.releases()) == 1
    hub.end_release("RolledBack")
    hub.application({"components": [a_web()]}, **{version: "three"})
    hub.settle()
    assert [objects.name(one) for one in hub.releases()] == ["shop-v1", "shop-v3"]


def test_a_rolled_back_release_is_not_made_again_by_itself():
    hub = a_hub("berlin")
    hub.application({"components": [a_web()]})
    hub.settle()
    hub.end_release("RolledBack", "errors doubled in berlin")
    hub.settle()
    assert len(hub.releases()) == 1
    assert hub.status()["status"] == "workflowFailed"
    assert hub.condition("Ready") == ("False", "errors doubled in berlin")


def test_a_cluster_that_joins_gets_the_same_revision_by_another_release():
    hub = a_hub("berlin")
    hub.application({"components": [a_web()]})
    hub.settle()
    hub.end_release("Succeeded")
    hub.cluster("osaka")
    hub.settle()
    assert hub.revisions() == ["shop-v1"]
    assert [objects.name(one) for one in hub.releases()] == ["shop-v1", "shop-v1-2"]
    assert targets(hub.releases()[1]) == [("berlin", "osaka")]


def test_a_cluster_that_no_topology_names_any_more_gets_nothing():
    hub = a_hub("berlin", "osaka")

    def to(*clusters: str) -> None:
        topology = {"type": "topology", "properties": {"clusters": [*clusters]}}
        hub.application({"components": [a_web()], "policies": [topology]})
        hub.settle()

    to("berlin", "osaka")
    hub.end_release("Succeeded")
    to("berlin")
    assert targets(hub.releases()[-1]) == [("berlin",), ("-", "osaka")]
    hub.end_release("Succeeded")
    before = len(hub.releases())
    hub.settle()
    assert len(hub.releases()) == before


def test_a_cluster_that_left_the_fleet_is_not_asked_to_take_anything_off():
    hub = a_hub("berlin", "osaka")
    hub.application({"components": [a_web()]})
    hub.settle()
    hub.end_release("Succeeded")
    del hub.stored[next(at for at in hub.stored if at.name == "osaka")]
    hub.settle()
    assert targets(hub.releases()[-1]) == [("berlin",)]


def test_clusters_by_labels_are_asked_for_by_a_placement_and_waited_for():
    hub = a_hub("berlin", "osaka")
    selector = {"clusterLabelSelector": {"region": "eu"}}
    topology = {"name": "eu", "type": "topology", "properties": selector}
    hub.application({"components": [a_web()], "policies": [topology]})
    hub.settle()
    (placement,) = hub.list(PLACEMENTS)
    assert objects.name(placement).startswith("shop-eu-")
    labels = placement["spec"]["predicates"][0]["requiredClusterSelector"]["labelSelector"]
    assert labels == {"matchLabels": {"region": "eu"}}
    assert hub.releases() == []
    truth, message = hub.condition("Policy")
    assert (truth, message) == ("False", "waits for the clusters of topology eu to be chosen")
    hub.choose("berlin")
    hub.settle()
    assert targets(hub.releases()[0]) == [("berlin",)]
    assert hub.condition("Policy")[0] == "True"


def test_a_placement_that_chooses_nobody_takes_nothing_off():
    hub = a_hub("berlin")
    topology = {"type": "topology", "properties": {"clusterLabelSelector": {"region": "eu"}}}
    hub.application({"components": [a_web()], "policies": [topology]})
    hub.settle()
    hub.choose("berlin")
    hub.settle()
    hub.end_release("Succeeded")
    hub.choose()
    hub.settle()
    assert len(hub.releases()) == 1
    assert "topology topology chooses no cluster" in hub.condition("Ready")[1]


def test_with_allow_empty_a_placement_that_chooses_nobody_empties_its_clusters():
    hub = a_hub("berlin")
    chosen = {"clusterLabelSelector": {"region": "eu"}, "allowEmpty": True}
    topology = {"type": "topology", "properties": chosen}
    hub.application({"components": [a_web()], "policies": [topology]})
    hub.settle()
    hub.choose("berlin")
    hub.settle()
    hub.end_release("Succeeded")
    hub.choose()
    hub.settle()
    assert targets(hub.releases()[-1]) == [("-", "berlin")]


def test_another_selector_is_another_placement_and_the_old_one_goes():
    hub = a_hub("berlin")
    names = []
    for region in ("eu", "asia"):
        topology = {"type": "topology", "properties": {"clusterLabelSelector": {"region": region}}}
        hub.application({"components": [a_web()], "policies": [topology]})
        hub.settle()
        (placement,) = hub.list(PLACEMENTS)
        names.append(objects.name(placement))
    assert names[0] != names[1]


def test_a_topology_without_a_cluster_it_names_goes_to_the_others_and_says_so():
    hub = a_hub("berlin")
    topology = {"type": "topology", "properties": {"clusters": ["berlin", "atlantis"]}}
    hub.application({"components": [a_web()], "policies": [topology]})
    decision = hub.settle()
    assert targets(hub.releases()[0]) == [("berlin",)]
    said = "topology topology names cluster atlantis, which is not in the fleet"
    assert hub.condition("Policy") == ("False", said)
    assert said in [reason.message for reason in decision.reasons]


def test_clusters_that_get_the_same_share_a_variant():
    hub = a_hub("berlin", "osaka", "quito")
    spec = {
        "components": [a_web()],
        "policies": [
            {"name": "eu", "type": "topology", "properties": {"clusters": ["berlin", "osaka"]}},
            {
                "name": "us",
                "type": "topology",
                "properties": {"clusters": ["quito"], "namespace": "us"},
            },
        ],
    }
    hub.application(spec)
    hub.settle()
    assert targets(hub.releases()[0]) == [("berlin", "osaka"), ("quito",)]
    revision = hub.stored[Address(REVISIONS, "default", "shop-v1")]
    places = [
        one["manifests"][0]["manifest"]["metadata"]["namespace"]
        for one in revision["spec"]["variants"]
    ]
    assert places == ["default", "us"]


def test_a_mistake_is_told_in_a_condition_and_what_runs_is_left_alone():
    hub = a_hub("berlin")
    hub.application({"components": [a_web()]})
    hub.settle()
    hub.end_release("Succeeded")
    hub.settle()
    hub.application({"components": [{"name": "web", "type": "webservic"}]})
    hub.settle()
    truth, message = hub.condition("Render")
    assert truth == "False"
    assert 'spec.components[0].type: found "webservic"' in message
    assert hub.status()["status"] == "running"
    assert len(hub.releases()) == 1


def test_an_own_policy_comes_before_release_policies_and_the_most_important_wins():
    hub = a_hub("berlin")
    for name, priority, team in (("low", 1, "web"), ("high", 5, "web"), ("other", 9, "data")):
        selector = {"matchLabels": {"team": team}}
        spec = {"priority": priority, "applicationSelector": selector}
        hub.put(POLICIES, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})
    hub.application({"components": [a_web()]})
    hub.settle()
    assert dig(hub.releases()[0], "spec", "policy", "priority") == 5


def test_old_revisions_go_but_never_one_that_a_cluster_would_return_to():
    hub = a_hub("berlin")
    hub.unit("berlin", revision="shop-v1")
    for number in range(14):
        hub.application({"components": [a_web(f"nginx:{number}")]})
        hub.settle()
        hub.end_release("Succeeded")
    hub.settle()
    names = hub.revisions()
    assert "shop-v1" in names
    assert "shop-v2" not in names
    assert len(names) == 11
    assert len(hub.releases()) == 10


def test_a_deleted_application_goes_once_no_cluster_has_anything_of_it():
    hub = a_hub("berlin")
    hub.application({"components": [a_web()]})
    hub.settle()
    hub.unit("berlin", revision="shop-v1")
    hub.delete()
    decision = hub.decide()
    assert [reason.message for reason in decision.reasons] == ["is being taken off 1 cluster"]
    assert hub.list(RELEASES) == []
    assert hub.list(UNITS) == []
    hub.decide()
    assert hub.get(Address(APPLICATIONS, "default", "shop")) is None


def test_newer_definitions_change_nothing_that_is_delivered():
    hub = a_hub("berlin")
    hub.application({"components": [a_web()]})
    hub.settle()
    hub.end_release("Succeeded")
    at = Address(REVISIONS, "default", "shop-v1")
    old = hub.stored[at]
    (row,) = old["spec"]["variants"]
    # As if the definitions of another day had made it.
    rows = [{**row, "hash": "abcdef0123"}]
    hub.stored[at] = {**old, "spec": {**old["spec"], "variants": rows}}
    release = hub.releases()[0]
    was = {"variant": "abcdef0123", "clusters": ["berlin"]}
    hub.stored[Address(RELEASES, "default", "shop-v1")] = {
        **release,
        "spec": {**release["spec"], "targets": [was]},
    }
    assert hub.settle().actions == []
    hub.cluster("osaka")
    hub.settle()
    joined = {"variant": "abcdef0123", "clusters": ["berlin", "osaka"]}
    assert dig(hub.releases()[-1], "spec", "targets") == [joined]


def test_a_revision_that_is_only_not_seen_yet_is_made_again_under_its_name():
    hub = a_hub("berlin")
    hub.application({"components": [a_web()]})
    hub.settle()
    del hub.stored[Address(REVISIONS, "default", "shop-v1")]
    decision = hub.decide()
    (made,) = [one.body for one in decision.actions if isinstance(one, Create)]
    assert objects.name(made) == "shop-v1"


def test_the_status_shows_at_most_fifty_components_in_clusters():
    hub = a_hub(*(f"cluster-{number:02}" for number in range(40)))
    hub.application({"components": [a_web(), {**a_web(), "name": "api"}]})
    hub.settle()
    assert len(hub.status()["services"]) == 50


def test_what_no_server_judged_before_it_kept_it_is_said_in_a_condition():
    hub = a_hub("berlin")
    hub.application({"components": [a_web()]})
    hub.settle()
    address = Address(APPLICATIONS, "default", "shop")
    falls = {"name": "p", "type": "release", "properties": {"batches": ["50%", "10%"]}}
    spec = {"components": [a_web(image="web:2")], "policies": [falls]}
    kept = {**hub.stored[address], "spec": spec}
    hub.put(APPLICATIONS, {**kept, "apiVersion": "core.oam.dev/v1beta1", "kind": "Application"})
    hub.settle()
    (parsed,) = [one for one in hub.status()["conditions"] if one["type"] == "Parsed"]
    assert parsed["status"] == "False"
    assert "spec.policies[0].properties.batches[1]" in parsed["message"]
    assert len(hub.releases()) == 1
