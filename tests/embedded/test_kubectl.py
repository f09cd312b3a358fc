"""What a person does with the real kubectl."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.embedded.servers import KUBECTL, Kubectl, needs_kubectl

pytestmark = needs_kubectl


def a_map(name: str, **data: object) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def a_deployment(name: str, replicas: int = 2, image: str = "nginx:1") -> dict:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": image}]},
            },
        },
    }


A_CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "additionalPrinterColumns": [
                    {"name": "Size", "type": "integer", "jsonPath": ".spec.size"}
                ],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "size": {"type": "integer", "description": "how large"}
                                },
                            }
                        },
                    }
                },
            }
        ],
    },
}


def in_background(kubectl: Kubectl, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(KUBECTL), *words], stdout=subprocess.PIPE, text=True, env=kubectl.environment
    )


def test_get_prints_the_servers_tables(kubectl):
    kubectl("apply", "-f", "-", stdin=a_deployment("tables"))
    plain = kubectl("get", "deploy", "tables").splitlines()
    assert plain[0].split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert plain[1].split()[:4] == ["tables", "0/2", "0", "0"]
    wide = kubectl("get", "deploy", "tables", "-o", "wide").splitlines()
    assert wide[0].split()[-3:] == ["CONTAINERS", "IMAGES", "SELECTOR"]
    assert wide[1].split()[-3:] == ["main", "nginx:1", "app=tables"]


def test_get_in_every_format(kubectl):
    kubectl("apply", "-f", "-", stdin=a_map("formats", colour="red"))
    assert kubectl("get", "cm", "formats", "-o", "name") == "configmap/formats\n"
    assert json.loads(kubectl("get", "cm", "formats", "-o", "json"))["data"] == {"colour": "red"}
    assert "\n  colour: red\n" in kubectl("get", "cm", "formats", "-o", "yaml")
    path = "jsonpath={.data.colour}"
    assert kubectl("get", "configmaps/formats", "-o", path) == "red"


def test_get_by_label_and_field(kubectl):
    for name, tier in [("one", "front"), ("two", "back")]:
        body = a_map(f"select-{name}")
        body["metadata"]["labels"] = {"tier": tier, "set": "select"}
        kubectl("apply", "-f", "-", stdin=body)
    assert kubectl("get", "cm", "-l", "tier=front", "-o", "name") == "configmap/select-one\n"
    assert kubectl("get", "cm", "-l", "set=select,tier!=front", "-o", "name") == (
        "configmap/select-two\n"
    )
    field = "metadata.name=select-two"
    assert kubectl("get", "cm", "--field-selector", field, "-o", "name") == "configmap/select-two\n"


def test_a_watch_prints_each_change(kubectl):
    kubectl("apply", "-f", "-", stdin=a_map("watched", a="1"))
    path = "jsonpath={.data.a}{'\\n'}"
    process = in_background(kubectl, "get", "cm", "watched", "-w", "-o", path)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "1\n"
        kubectl("apply", "-f", "-", stdin=a_map("watched", a="2"))
        assert process.stdout.readline() == "2\n"
    finally:
        process.kill()
        process.communicate()


def test_describe_shows_the_parts(kubectl):
    kubectl("apply", "-f", "-", stdin=a_deployment("described"))
    text = kubectl("describe", "deployment", "described")
    assert "Selector:               app=described" in text
    assert "    Image:" in text and "nginx:1" in text


def test_client_side_apply_creates_changes_and_leaves_alone(kubectl):
    kubectl("apply", "-f", "-", stdin=a_deployment("applied"))
    same = kubectl("apply", "-f", "-", stdin=a_deployment("applied"))
    assert same == "deployment.apps/applied unchanged\n"
    changed = kubectl("apply", "-f", "-", stdin=a_deployment("applied", image="nginx:2"))
    assert changed == "deployment.apps/applied configured\n"
    path = "jsonpath={.spec.template.spec.containers[0].image}"
    assert kubectl("get", "deploy", "applied", "-o", path) == "nginx:2"


def test_server_side_apply_owns_and_conflicts(kubectl):
    apply = ("apply", "--server-side", "-f", "-")
    said = kubectl(*apply, stdin=a_map("owned", a="1"))
    assert said == "configmap/owned serverside-applied\n"
    refused = kubectl.fails(*apply, "--field-manager", "other", stdin=a_map("owned", a="2"))
    assert 'conflict with "kubectl": .data.a' in refused
    kubectl(*apply, "--field-manager", "other", "--force-conflicts", stdin=a_map("owned", a="2"))
    assert kubectl("get", "cm", "owned", "-o", "jsonpath={.data}") == '{"a":"2"}'


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("strategic", {"spec": {"replicas": 5}}),
        ("merge", {"spec": {"replicas": 5}}),
        ("json", [{"op": "replace", "path": "/spec/replicas", "value": 5}]),
    ],
)
def test_the_three_kinds_of_patch(kubectl, kind, patch):
    name = f"patched-{kind}"
    kubectl("apply", "-f", "-", stdin=a_deployment(name))
    kubectl("patch", "deploy", name, "--type", kind, "-p", json.dumps(patch))
    assert kubectl("get", "deploy", name, "-o", "jsonpath={.spec.replicas}") == "5"


def test_scale_label_and_annotate(kubectl):
    kubectl("apply", "-f", "-", stdin=a_deployment("changed"))
    kubectl("scale", "deploy", "changed", "--replicas", "7")
    kubectl("label", "deploy", "changed", "tier=front")
    kubectl("annotate", "deploy", "changed", "note=it is mine")
    found = json.loads(kubectl("get", "deploy", "changed", "-o", "json"))
    assert found["spec"]["replicas"] == 7
    assert found["metadata"]["labels"] == {"app": "changed", "tier": "front"}
    assert found["metadata"]["annotations"]["note"] == "it is mine"


def test_delete_by_name_by_label_and_from_a_file(kubectl):
    for name in ("gone-a", "gone-b", "gone-c"):
        body = a_map(name)
        body["metadata"]["labels"] = {"set": name}
        kubectl("create", "-f", "-", stdin=body)
    assert kubectl("delete", "cm", "gone-a") == 'configmap "gone-a" deleted\n'
    assert kubectl("delete", "cm", "-l", "set=gone-b") == 'configmap "gone-b" deleted\n'
    assert kubectl("delete", "-f", "-", stdin=a_map("gone-c")) == 'configmap "gone-c" deleted\n'
    assert 'configmaps "gone-a" not found' in kubectl.fails("get", "cm", "gone-a")


def test_wait_for_a_value_and_for_deletion(kubectl):
    kubectl("create", "-f", "-", stdin=a_map("awaited", a="1"))
    kubectl("wait", "cm/awaited", "--for", "jsonpath={.data.a}=1", "--timeout", "5s")
    waiting = in_background(kubectl, "wait", "cm/awaited", "--for=delete", "--timeout=10s")
    kubectl("delete", "cm", "awaited")
    assert waiting.communicate(timeout=10)[0] in ("configmap/awaited condition met\n", "")


def test_rollout_status_waits_until_the_new_pods_are_up(kubectl):
    kubectl("apply", "-f", "-", stdin=a_deployment("rolled"))
    waiting = in_background(kubectl, "rollout", "status", "deploy/rolled", "--timeout=15s")
    assert waiting.stdout is not None
    assert "Waiting for deployment" in waiting.stdout.readline()
    available = [{"type": "Available", "status": "True"}]
    counts = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
    status = {"status": {"observedGeneration": 1, "conditions": available, **counts}}
    patch = ("--subresource", "status", "--type", "merge", "-p", json.dumps(status))
    kubectl("patch", "deploy", "rolled", *patch)
    rest, _ = waiting.communicate(timeout=15)
    assert rest.splitlines()[-1] == 'deployment "rolled" successfully rolled out'
    assert waiting.returncode == 0


def test_api_resources_and_versions(kubectl):
    text = kubectl("api-resources", "--no-headers", "-o", "name")
    assert {"pods", "deployments.apps", "jobs.batch"} <= set(text.splitlines())
    assert "apps/v1" in kubectl("api-versions").splitlines()
    assert "Server Version: v1.36" in kubectl("version")


def test_diff_shows_what_apply_would_change(kubectl):
    kubectl("apply", "-f", "-", stdin=a_deployment("differs"))
    done = kubectl.run("diff", "-f", "-", stdin=a_deployment("differs", replicas=9))
    assert done.returncode == 1
    assert "-  replicas: 2\n+  replicas: 9" in done.stdout
    assert kubectl.run("diff", "-f", "-", stdin=a_deployment("differs")).stdout == ""


def test_explain_built_in_fields(kubectl):
    told = kubectl("explain", "deployment.spec")
    assert "template\t<PodTemplateSpec> -required-" in told
    assert "Number of desired pods." in told
    sizes = kubectl("explain", "deployment.spec.strategy", "--recursive")
    assert "maxSurge\t<IntOrString>" in sizes


def test_a_custom_kind_is_served_printed_and_explained(kubectl):
    kubectl("apply", "-f", "-", stdin=A_CRD)
    kubectl("wait", "--for=condition=Established", "crd/widgets.example.com", "--timeout=5s")
    body = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}
    kubectl("apply", "-f", "-", stdin={**body, "spec": {"size": 3}})
    assert [line.split() for line in kubectl("get", "wd").splitlines()] == [
        ["NAME", "SIZE"],
        ["w", "3"],
    ]
    assert "how large" in kubectl("explain", "widget.spec.size")
    refused = kubectl.fails("apply", "-f", "-", stdin={**body, "spec": {"syze": 3}})
    assert 'unknown field "spec.syze"' in refused


def test_dry_run_on_the_server_changes_nothing(kubectl):
    said = kubectl("apply", "--dry-run=server", "-f", "-", stdin=a_map("tried"))
    assert said == "configmap/tried created (server dry run)\n"
    assert "not found" in kubectl.fails("get", "cm", "tried")


def test_a_namespace_goes_with_everything_in_it(kubectl):
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "short"}}
    kubectl("create", "-f", "-", stdin=space)
    kubectl("create", "-n", "short", "-f", "-", stdin=a_map("inside"))
    kubectl("delete", "ns", "short", "--timeout=5s")
    assert 'namespaces "short" not found' in kubectl.fails("get", "ns", "short")


def test_pages_add_up_to_the_whole_list(kubectl):
    items = [a_map(f"paged-{number:02}") for number in range(7)]
    for item in items:
        item["metadata"]["labels"] = {"set": "paged"}
    whole = {"apiVersion": "v1", "kind": "List", "items": items}
    kubectl("create", "-f", "-", stdin=whole)
    found = kubectl("get", "cm", "-l", "set=paged", "-o", "name", "--chunk-size", "3").split()
    assert found == [f"configmap/paged-{number:02}" for number in range(7)]


@pytest.mark.parametrize(
    ("words", "stdin", "answer"),
    [
        (("get", "nope"), None, 'doesn\'t have a resource type "nope"'),
        (("get", "cm", "-l", "a in"), None, "unable to parse requirement"),
        (("get", "cm", "--field-selector", "x=y"), None, "not a known field selector"),
        (("create", "-f", "-"), {**a_map("Upper_Case")}, "Invalid value"),
        (("create", "-f", "-"), a_map("x", a=1), "cannot unmarshal number"),
        (("create", "-f", "-"), {**a_map("x"), "dada": {}}, 'unknown field "dada"'),
        (("create", "-n", "none", "-f", "-"), a_map("x"), 'namespaces "none" not found'),
        (("patch", "ns", "default", "-p", "{"), None, "unexpected end of JSON input"),
        (("scale", "deploy", "none", "--replicas", "1"), None, "not found"),
        (("delete", "cm", "none"), None, 'configmaps "none" not found'),
    ],
)
def test_wrong_input_is_answered_with_what_is_wrong(kubectl, words, stdin, answer):
    assert answer in kubectl.fails(*words, stdin=stdin)


def test_a_stranger_is_told_to_log_in(server, tmp_path):
    path: Path = tmp_path / "stranger"
    path.write_text(server.kubeconfig(token="abcdef.0123456789abcdef"))
    stranger = Kubectl(server)
    stranger.environment["KUBECONFIG"] = str(path)
    assert "Unauthorized" in stranger.fails("get", "cm") or "logged in" in stranger.fails(
        "get", "cm"
    )
