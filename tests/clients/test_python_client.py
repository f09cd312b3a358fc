"""The official client for Python, on our API server and on Kubernetes' own."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
import yaml
from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client.exceptions import ApiException

PATIENCE_SECONDS = 15
WIDGETS = ("clients.example.com", "v1", "widgets")


def a_map(name: str, labels: dict[str, str] | None = None, **data: str) -> client.V1ConfigMap:
    meta = client.V1ObjectMeta(name=name, labels=labels)
    return client.V1ConfigMap(metadata=meta, data=data)


def a_deployment(name: str) -> client.V1Deployment:
    labels = {"app": name}
    container = client.V1Container(name="main", image="registry.example/app:1")
    return client.V1Deployment(
        metadata=client.V1ObjectMeta(name=name, labels=labels),
        spec=client.V1DeploymentSpec(
            replicas=0,
            selector=client.V1LabelSelector(match_labels=labels),
            template=client.V1PodTemplateSpec(
                metadata=client.V1ObjectMeta(labels=labels),
                spec=client.V1PodSpec(containers=[container]),
            ),
        ),
    )


def a_definition(group: str) -> dict[str, Any]:
    size = {"type": "integer", "minimum": 1}
    spec = {"type": "object", "properties": {"size": size}}
    status = {"type": "object", "properties": {"ready": {"type": "boolean"}}}
    schema = {"type": "object", "properties": {"spec": spec, "status": status}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [version],
        },
    }


def a_widget(name: str, size: int) -> dict[str, Any]:
    group, version, _ = WIDGETS
    return {
        "apiVersion": f"{group}/{version}",
        "kind": "Widget",
        "metadata": {"name": name},
        "spec": {"size": size},
    }


def reason(error: ApiException) -> tuple[int, str]:
    """The HTTP code of a refusal, and the reason that its Status gives."""
    return error.status, json.loads(error.body)["reason"]


@pytest.fixture
def widgets(api):
    """A kind of our own, which is gone afterwards."""
    extensions = client.ApiextensionsV1Api(api)
    extensions.create_custom_resource_definition(a_definition(WIDGETS[0]))
    limit = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            client.CustomObjectsApi(api).list_cluster_custom_object(*WIDGETS)
            break
        except ApiException:
            assert time.monotonic() < limit, "the kind was never served"
            time.sleep(0.05)
    yield client.CustomObjectsApi(api)
    extensions.delete_custom_resource_definition(f"widgets.{WIDGETS[0]}")


def test_an_object_is_created_read_changed_and_deleted(api, space):
    core = client.CoreV1Api(api)
    made = core.create_namespaced_config_map(space, a_map("one", colour="red"))
    assert made.metadata.uid and made.metadata.creation_timestamp.tzinfo
    core.patch_namespaced_config_map("one", space, {"data": {"size": "3"}})
    read = core.read_namespaced_config_map("one", space)
    assert read.data == {"colour": "red", "size": "3"}
    read.data = {"colour": "blue"}
    assert core.replace_namespaced_config_map("one", space, read).data == {"colour": "blue"}
    gone = core.delete_namespaced_config_map("one", space)
    assert gone.status == "Success"
    with pytest.raises(ApiException) as caught:
        core.read_namespaced_config_map("one", space)
    assert reason(caught.value) == (404, "NotFound")


def test_lists_are_selected_and_come_in_pages(api, space):
    core = client.CoreV1Api(api)
    for number in range(5):
        labels = {"set": "pages", "odd": str(number % 2)}
        core.create_namespaced_config_map(space, a_map(f"m-{number}", labels))
    odd = core.list_namespaced_config_map(space, label_selector="set=pages,odd=1").items
    assert [one.metadata.name for one in odd] == ["m-1", "m-3"]
    field = core.list_namespaced_config_map(space, field_selector="metadata.name=m-4").items
    assert [one.metadata.name for one in field] == ["m-4"]
    names, token = [], None
    while token != "":
        page = core.list_namespaced_config_map(
            space, label_selector="set=pages", limit=2, _continue=token
        )
        names += [one.metadata.name for one in page.items]
        token = page.metadata._continue or ""
    assert names == [f"m-{number}" for number in range(5)]


def test_workloads_keep_their_types_and_are_scaled(api, space):
    apps = client.AppsV1Api(api)
    apps.create_namespaced_deployment(space, a_deployment("web"))
    live = apps.read_namespaced_deployment("web", space)
    assert live.spec.strategy.rolling_update.max_surge == "25%"
    assert live.spec.template.spec.containers[0].image_pull_policy == "IfNotPresent"
    scale = apps.read_namespaced_deployment_scale("web", space)
    assert (scale.spec.replicas or 0, scale.status.selector) == (0, "app=web")
    apps.patch_namespaced_deployment_scale("web", space, {"spec": {"replicas": 2}})
    assert apps.read_namespaced_deployment("web", space).spec.replicas == 2
    container = {"name": "main", "env": [{"name": "A", "value": "b"}]}
    change = {"spec": {"replicas": 0, "template": {"spec": {"containers": [container]}}}}
    changed = apps.patch_namespaced_deployment("web", space, change)
    # A list of dictionaries is sent as a strategic merge patch: the image stays.
    assert changed.spec.template.spec.containers[0].image == "registry.example/app:1"
    apps.delete_namespaced_deployment("web", space, propagation_policy="Background")


def test_a_watch_tells_what_happens_and_is_resumed(api, space):
    core, seen = client.CoreV1Api(api), []
    start = core.list_namespaced_config_map(space).metadata.resource_version

    def act() -> None:
        core.create_namespaced_config_map(space, a_map("w", a="1"))
        core.patch_namespaced_config_map("w", space, {"data": {"a": "2"}})
        core.delete_namespaced_config_map("w", space)

    acting = threading.Thread(target=act)
    acting.start()
    options = {"field_selector": "metadata.name=w", "timeout_seconds": PATIENCE_SECONDS}
    watching = watch.Watch()
    listing = core.list_namespaced_config_map
    for event in watching.stream(listing, space, resource_version=start, **options):
        seen.append((event["type"], event["object"].data["a"]))
        if event["type"] == "ADDED":
            after_first = event["object"].metadata.resource_version
        if event["type"] == "DELETED":
            watching.stop()
    acting.join(PATIENCE_SECONDS)
    assert seen == [("ADDED", "1"), ("MODIFIED", "2"), ("DELETED", "2")]
    again = []
    for event in watching.stream(listing, space, resource_version=after_first, **options):
        again.append(event["type"])
        if event["type"] == "DELETED":
            watching.stop()
    assert again == ["MODIFIED", "DELETED"]


def test_a_kind_of_ones_own_is_used_as_a_built_in_one(api, space, widgets):
    group, version, plural = WIDGETS
    place = {"group": group, "version": version, "namespace": space, "plural": plural}
    widgets.create_namespaced_custom_object(**place, body=a_widget("w", 3))
    changed = widgets.patch_namespaced_custom_object(**place, name="w", body={"spec": {"size": 4}})
    assert (changed["spec"], changed["metadata"]["generation"]) == ({"size": 4}, 2)
    told = widgets.patch_namespaced_custom_object_status(
        **place, name="w", body={"status": {"ready": True}, "spec": {"size": 9}}
    )
    assert (told["spec"], told["status"]) == ({"size": 4}, {"ready": True})
    found = widgets.list_namespaced_custom_object(**place)
    assert [one["metadata"]["name"] for one in found["items"]] == ["w"]
    with pytest.raises(ApiException) as caught:
        widgets.create_namespaced_custom_object(**place, body=a_widget("small", 0))
    assert reason(caught.value) == (422, "Invalid")
    assert "spec.size" in json.loads(caught.value.body)["details"]["causes"][0]["field"]
    widgets.delete_namespaced_custom_object(**place, name="w")


def test_the_dynamic_client_finds_kinds_by_itself(api, space, widgets, tmp_path):
    finder = dynamic.DynamicClient(api, cache_file=str(tmp_path / "cache"))
    maps = finder.resources.get(api_version="v1", kind="ConfigMap")
    made = maps.create(namespace=space, body={"metadata": {"name": "d"}, "data": {"a": "1"}})
    assert made.data.a == "1"
    applied = maps.server_side_apply(
        namespace=space,
        name="d",
        field_manager="judge",
        force_conflicts=True,
        body={
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "d"},
            "data": {"b": "2"},
        },
    )
    assert applied.data.to_dict() == {"a": "1", "b": "2"}
    own = finder.resources.get(api_version=f"{WIDGETS[0]}/v1", kind="Widget")
    own.create(namespace=space, body=a_widget("w", 2))
    merge = "application/merge-patch+json"
    own.patch(namespace=space, name="w", body={"spec": {"size": 5}}, content_type=merge)
    assert own.get(namespace=space, name="w").spec.size == 5
    assert [one.metadata.name for one in own.get(namespace=space).items] == ["w"]
    own.delete(namespace=space, name="w")
    with pytest.raises(dynamic.exceptions.NotFoundError):
        own.get(namespace=space, name="w")
    with pytest.raises(dynamic.exceptions.ResourceNotFoundError):
        finder.resources.get(api_version="none.example.com/v1", kind="None")


def test_refusals_are_the_errors_that_the_client_knows(api, space):
    core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
    core.create_namespaced_config_map(space, a_map("one"))
    stale = core.read_namespaced_config_map("one", space)
    core.patch_namespaced_config_map("one", space, {"data": {"a": "1"}})
    broken = a_deployment("broken")
    broken.spec.template.metadata.labels = {"app": "other"}
    unknown = {"metadata": {"name": "typo"}, "dada": {}}
    strict = {"field_validation": "Strict"}
    attempts = {
        (409, "AlreadyExists"): lambda: core.create_namespaced_config_map(space, a_map("one")),
        (409, "Conflict"): lambda: core.replace_namespaced_config_map("one", space, stale),
        (422, "Invalid"): lambda: apps.create_namespaced_deployment(space, broken),
        (404, "NotFound"): lambda: core.create_namespaced_config_map("none", a_map("two")),
        (400, "BadRequest"): lambda: core.create_namespaced_config_map(space, unknown, **strict),
    }
    for expected, attempt in attempts.items():
        with pytest.raises(ApiException) as caught:
            attempt()
        assert reason(caught.value) == expected


def test_a_stranger_and_one_without_rights_are_told_so(api, space, kubeconfig):
    core = client.CoreV1Api(api)
    api.set_default_header("Impersonate-User", "somebody")
    with pytest.raises(ApiException) as caught:
        core.list_namespaced_secret(space)
    assert reason(caught.value) == (403, "Forbidden")
    del api.default_headers["Impersonate-User"]
    settings = yaml.safe_load(kubeconfig.read_text())
    settings["users"][0]["user"] = {"token": "abcdef.0123456789abcdef"}
    with config.new_client_from_config_dict(settings) as stranger:
        with pytest.raises(ApiException) as caught:
            client.CoreV1Api(stranger).list_namespace()
        assert reason(caught.value) == (401, "Unauthorized")


def test_rights_versions_and_groups_are_told(api, space):
    attributes = client.V1ResourceAttributes(namespace=space, verb="create", resource="pods")
    review = client.V1SelfSubjectAccessReview(
        spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
    )
    answer = client.AuthorizationV1Api(api).create_self_subject_access_review(review)
    assert answer.status.allowed is True
    assert client.VersionApi(api).get_code().minor == "36"
    groups = {one.name for one in client.ApisApi(api).get_api_versions().groups}
    assert {"apps", "batch", "rbac.authorization.k8s.io"} <= groups
    kinds = {one.kind for one in client.AppsV1Api(api).get_api_resources().resources}
    assert {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"} <= kinds


def test_files_are_created_as_they_stand(api, space, tmp_path):
    file = tmp_path / "all.yaml"
    documents = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "f"}, "data": {"a": "1"}},
        api.sanitize_for_serialization(a_deployment("f"))
        | {"apiVersion": "apps/v1", "kind": "Deployment"},
    ]
    file.write_text(yaml.safe_dump_all(documents))
    utils.create_from_yaml(api, str(file), namespace=space)
    assert client.CoreV1Api(api).read_namespaced_config_map("f", space).data == {"a": "1"}
    assert client.AppsV1Api(api).read_namespaced_deployment("f", space).spec.replicas == 0
    with pytest.raises(utils.FailToCreateError) as caught:
        utils.create_from_yaml(api, str(file), namespace=space)
    assert [one.status for one in caught.value.api_exceptions] == [409, 409]
