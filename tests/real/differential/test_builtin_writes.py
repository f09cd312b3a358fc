"""Built-in kinds: generation, validation, unknown fields, dry runs and status, write by write."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from oneco.kube.refs import Resource
from tests.real.differential.comparing import compare, compare_literally
from tests.real.differential.shapes import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    OBJECTS,
    POD_TEMPLATES,
    SERVICES,
    few,
    some,
)
from tests.real.differential.steps import NAME, Case, Step

MODES = few(["Strict", "Warn", "Ignore"])
KINDS = {
    "config maps": CONFIG_MAPS,
    "pod templates": POD_TEMPLATES,
    "services": SERVICES,
    "deployments": DEPLOYMENTS,
}


def writes(bodies: Any) -> Any:
    """A write with a mode of field validation, dry at times, with an unknown field at times."""
    options = st.fixed_dictionaries(
        {"field_validation": MODES, "dry_run": st.integers(0, 3).map(lambda draw: draw == 0)}
    )
    odd = st.tuples(bodies, st.integers(0, 3)).map(
        lambda pair: {**pair[0], "unknown": 1} if pair[1] == 0 else pair[0]
    )
    patch = odd.map(
        lambda body: {key: one for key, one in body.items() if key not in ("metadata", "kind")}
    )
    return st.one_of(
        st.builds(lambda body, more: Step("replace", body, more, "", True), odd, options),
        st.builds(lambda body, more: Step("merge", body, more), patch, options),
        st.builds(lambda body, more: Step("strategic", body, more), patch, options),
    )


def histories(resource: Resource) -> Any:
    """An object and up to three writes to it."""
    bodies = OBJECTS[resource]
    creating = st.builds(
        lambda body, mode: Step("create", body, {"field_validation": mode}), bodies, MODES
    )
    return st.builds(
        lambda first, rest: Case(resource, [first, *rest]),
        creating, st.lists(writes(bodies), min_size=1, max_size=3),
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_writes_end_alike(pair, kind):
    compare(pair, f"built-in kinds, {kind}", histories(KINDS[kind]), 150)


COUNTED = {
    Resource("networking.k8s.io", "v1", "ingresses"): ("Ingress", {"defaultBackend": {
        "service": {"name": "s", "port": {"number": 80}}}}, {"ingressClassName": "x"}),
    Resource("networking.k8s.io", "v1", "networkpolicies"): (
        "NetworkPolicy", {"podSelector": {}}, {"policyTypes": ["Ingress", "Egress"]}),
    Resource("policy", "v1", "poddisruptionbudgets"): (
        "PodDisruptionBudget", {"minAvailable": 1}, {"minAvailable": 2}),
    Resource("apps", "v1", "replicasets"): ("ReplicaSet", {
        "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]}}}, {"replicas": 3}),
    Resource("apps", "v1", "statefulsets"): ("StatefulSet", {
        "serviceName": "s", "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]}}}, {"replicas": 3}),
    Resource("apps", "v1", "daemonsets"): ("DaemonSet", {
        "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]}}}, {"minReadySeconds": 3}),
    Resource("batch", "v1", "cronjobs"): ("CronJob", {"schedule": "* * * * *", "suspend": True,
        "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never",
        "containers": [{"name": "c", "image": "i"}]}}}}}, {"schedule": "1 * * * *"}),
    Resource("", "v1", "pods"): ("Pod", {"containers": [{"name": "c", "image": "i"}]},
        {"activeDeadlineSeconds": 5}),
    Resource("coordination.k8s.io", "v1", "leases"): ("Lease", {"holderIdentity": "a"},
        {"holderIdentity": "b"}),
    Resource("autoscaling", "v2", "horizontalpodautoscalers"): ("HorizontalPodAutoscaler", {
        "maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}},
        {"maxReplicas": 4}),
}  # fmt: skip
CHANGES = st.one_of(
    st.just(("spec", "")),
    st.just(("again", "")),
    st.builds(lambda key, value: ({"metadata": {key: {"a": value}}}, ""),
              few(["labels", "annotations"]), few(["1", "2"])),
    st.builds(lambda body: ({"metadata": {"finalizers": body}}, ""), few([["x.io/a"], []])),
    st.just(({"status": {}}, "status")),
    some(metadata=st.just({"labels": {"s": "t"}})).map(lambda body: (body, "status")),
)  # fmt: skip


@st.composite
def counted(draw: Any) -> Case:
    """An object of a kind that counts generations, or does not, and changes of every part."""
    resource = draw(few(list(COUNTED)))
    kind, spec, other = COUNTED[resource]
    version = f"{resource.group}/{resource.version}" if resource.group else resource.version
    body = {"apiVersion": version, "kind": kind, "metadata": {"name": NAME}, "spec": spec}
    steps = [Step("create", body)]
    for change, subresource in draw(st.lists(CHANGES, min_size=1, max_size=5)):
        patch = (
            {"spec": other} if change == "spec" else {"spec": {}} if change == "again" else change
        )
        steps.append(Step("merge", patch, {"manager": "m"}, subresource))
    if draw(st.booleans()):
        steps.append(Step("delete", options={"propagation": "Background"}))
    return Case(resource, steps)


def test_generations_count_the_same_writes(pair):
    compare(pair, "generations of built-in kinds", counted(), 250)


WRONG: Any = {
    "containers": [
        {
            "name": "A",
            "image": "",
            "ports": [{"name": "X"}],
            "env": [{"name": ""}],
            "volumeMounts": [{"name": "q"}],
            "imagePullPolicy": "x",
            "resources": {"limits": {"cpu": "-1"}},
            "lifecycle": {"preStop": {}},
            "livenessProbe": {},
            "startupProbe": {"periodSeconds": -1, "exec": {}},
            "securityContext": {"runAsUser": -1},
            "terminationMessagePolicy": "z",
            "envFrom": [{}],
        },
        {"name": "b", "image": "i"},
        {"name": "b", "image": "i"},
    ],
    "initContainers": [{"name": "b", "image": "i", "livenessProbe": {}, "restartPolicy": "x"}],
    "restartPolicy": "Q",
    "dnsPolicy": "Z",
    "nodeSelector": {"a b": "c"},
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}
        }
    },
    "topologySpreadConstraints": [{}],
    "serviceAccountName": "A",
    "nodeName": "A",
    "activeDeadlineSeconds": 0,
    "hostname": "A",
    "subdomain": "A",
    "tolerations": [{"effect": "x"}],
    "priorityClassName": "A",
    "volumes": [{"name": "A"}, {"name": "a", "configMap": {}, "emptyDir": {}}],
    "hostNetwork": True,
}


def test_whatever_is_wrong_with_a_pod_is_told_alike_and_in_order(pair):
    one = {"name": "a", "image": "i"}
    specs = [
        WRONG,
        *({"containers": [one], key: part} for key, part in WRONG.items() if key != "containers"),
        *({"containers": [{**one, key: part}]} for key, part in WRONG["containers"][0].items()),
    ]
    meta = {"labels": {"a b": "c"}, "annotations": {"x y": "z"}}
    cases = []
    for spec in specs:
        template = {"metadata": meta, "spec": spec}
        body = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": NAME}}
        cases.append(Case(POD_TEMPLATES, [Step("create", {**body, "template": template})]))
    compare_literally(pair, "pod templates, wrong ones", cases)
