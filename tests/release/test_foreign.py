"""What the hub writes for, and reads from, agents that apply and know nothing of ours."""

from __future__ import annotations

import itertools
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from oneco.kinds import agents, ocm
from oneco.kinds.oam import CLUSTER_LABEL
from oneco.kube import objects
from oneco.kube.refs import kind_of
from oneco.main.workloads import STEPS
from oneco.release import feedback, foreign, stepping
from oneco.release.foreign import Foreign
from oneco.release.ports import Gate
from oneco.release.variants import identity
from tests.release.given import a_config, a_deployment, a_variant

HERE = Foreign("here", STEPS)
_NAMES = {"applied_mark": foreign.MARK, "observed_generation": foreign.OBSERVED}


def a_work(*manifests, held=None, generation: int = 1):
    content = foreign.content(a_variant(*manifests), held or {}, HERE)
    return {
        "metadata": {"name": "w", "uid": "u", "generation": generation},
        "spec": content.spec,
    }


def manifest_of(work, kind: str):
    found = work["spec"]["workload"]["manifests"]
    return next(one for one in found if one["kind"] == kind)


def told(work, kind: str = "Deployment", *, applied: int = 1, message: str = "", **values: Any):
    """The work as a foreign agent answers it; `values` are what it read of the object."""
    manifest = manifest_of(work, kind)
    fields = [
        {"name": _NAMES.get(name, name), "fieldValue": _field(value)}
        for name, value in values.items()
    ]
    row = {
        "resourceMeta": {
            "ordinal": 0,
            "group": kind_of(manifest).group,
            "kind": kind,
            "namespace": objects.namespace(manifest),
            "name": objects.name(manifest),
        },
        "conditions": [_condition("Applied", is_true=not message, message=message)],
        "statusFeedback": {"values": fields},
    }
    conditions = [{**_condition("Applied", is_true=not message), "observedGeneration": applied}]
    return {**work, "status": {"conditions": conditions, "resourceStatus": {"manifests": [row]}}}


def _field(value):
    if isinstance(value, str):
        return {"type": "String", "string": value}
    return {"type": "Integer", "integer": value}


def _condition(kind: str, *, is_true: bool, message: str = ""):
    return {"type": kind, "status": "True" if is_true else "False", "message": message}


def seen(work, kind: str = "Deployment"):
    observed = feedback.observed(work, "life", is_confirmed=True, steps=STEPS)
    assert observed is not None
    return next(one for one in observed.objects if one.ref.kind == kind)


def mark(work, kind: str = "Deployment") -> str:
    return foreign.mark_of(manifest_of(work, kind))


def test_counts_are_believed_only_of_the_object_that_the_work_asks_for():
    work = a_work(a_deployment(replicas=4))
    counts: dict[str, Any] = {"generation": 7, "replicas": 4, "total": 4, "updated": 4, "ready": 4}
    current = seen(told(work, applied_mark=mark(work), observed_generation=7, **counts))
    assert current.is_current
    assert current.updated_ready == 4
    other = seen(told(work, applied_mark="another", observed_generation=7, **counts))
    assert not other.is_current
    late = seen(told(work, applied_mark=mark(work), observed_generation=6, **counts))
    assert not late.is_current


def test_what_was_applied_is_of_the_generation_that_the_agent_says():
    work = a_work(a_deployment(), generation=3)
    observed = feedback.observed(told(work, applied=2), "life", is_confirmed=True, steps=STEPS)
    assert observed is not None
    assert (observed.work_generation, observed.work_uid, observed.hub_epoch) == (2, "u", "life")
    assert feedback.observed(work, "life", is_confirmed=True, steps=STEPS) is None


def test_as_many_new_pods_are_ready_as_are_more_than_all_old_ones():
    work = a_work(a_deployment(replicas=10))
    found = seen(told(work, total=10, updated=6, ready=9))
    assert found.updated_ready == 5


def test_under_the_gate_old_pods_are_told_from_new_by_being_available():
    held = {identity(a_deployment(replicas=4)): Gate(1, 0, 4)}
    work = a_work(a_deployment(replicas=4), held=held)
    # All old pods are broken; the new one is ready.
    assert seen(told(work, total=4, updated=1, ready=1)).updated_ready == 1
    # Two old ones are ready, which is why two are available; the new one is not.
    assert seen(told(work, total=4, updated=1, ready=2, available=2)).updated_ready == 0
    # Where a new pod has to be ready for a while, its owner's patience cannot be seen.
    patient = a_deployment(replicas=4, minReadySeconds=30)
    work = a_work(patient, held={identity(patient): Gate(1, 0, 4)})
    assert seen(told(work, total=4, updated=1, ready=1)).updated_ready == 0


def test_a_refusal_is_told_from_what_may_still_come():
    work = a_work(a_deployment())
    never = 'Failed to apply manifest: Deployment.apps "web" is invalid: spec.template: Required'
    refused = seen(told(work, message=never))
    assert refused.is_refused
    assert refused.message == never
    later = seen(told(work, message="Failed to apply manifest: connection refused"))
    assert not later.is_refused
    assert not later.is_applied


def test_a_job_is_told_by_its_conditions_one_by_one():
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "load", "namespace": "default"},
        "spec": {},
    }
    work = a_work(job)
    rules = foreign.rules(manifest_of(work, "Job"), STEPS)
    assert rules["Failed"] == '.status.conditions[?(@.type=="Failed")].status'
    found = seen(told(work, "Job", applied_mark=mark(work, "Job"), Failed="True"), "Job")
    assert found.values == {"status-conditions": [{"type": "Failed", "status": "True"}]}


def test_a_namespace_is_made_if_missing_and_never_taken_away():
    elsewhere = objects.put(a_config(), ("metadata", "namespace"), "shop")
    spec = a_work(elsewhere)["spec"]
    config = spec["manifestConfigs"][0]
    assert config["resourceIdentifier"]["resource"] == "namespaces"
    assert config["updateStrategy"] == {"type": "CreateOnly"}
    rules = spec["deleteOption"]["selectivelyOrphans"]["orphaningRules"]
    assert rules == [{"group": "", "resource": "namespaces", "name": "shop"}]
    assert spec["deleteOption"]["propagationPolicy"] == "SelectivelyOrphan"


def test_the_hub_writes_the_clusters_name_where_our_agent_would():
    labelled = objects.put(a_config(), ("metadata", "labels"), {CLUSTER_LABEL: ""})
    found = manifest_of(a_work(labelled), "ConfigMap")
    assert found["metadata"]["labels"] == {CLUSTER_LABEL: "here"}


def test_where_no_pod_may_be_missing_new_ones_come_beside_the_old():
    strategy = {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 2}}
    careful = a_deployment(replicas=10, strategy=strategy)
    work = a_work(careful, held={identity(careful): Gate(4, 2, 10)})
    rolling = manifest_of(work, "Deployment")["spec"]["strategy"]["rollingUpdate"]
    assert rolling == {"maxSurge": 2, "maxUnavailable": 2}


def test_an_agent_is_known_by_what_it_says_of_its_cluster():
    claim = {"name": ocm.AGENT_CLAIM, "value": "1.2"}
    joined = {"type": "ManagedClusterJoined", "status": "True"}
    assert agents.of({"status": {"conditions": [joined], "clusterClaims": [claim]}}) == "oneco"
    assert agents.of({"status": {"conditions": [joined]}}) == "foreign"
    assert agents.of({"status": {}}) == ""
    assert agents.of(None) == ""


@given(
    pods=st.lists(st.integers(1, 60), min_size=1, max_size=3),
    shares=st.lists(st.integers(0, 100), min_size=3, max_size=3),
    done=st.lists(st.integers(0, 100), min_size=3, max_size=3),
    allowed=st.one_of(st.integers(0, 9), st.integers(0, 100).map(lambda share: f"{share}%")),
)
def test_a_step_never_opens_more_than_the_workload_allows(pods, shares, done, allowed):
    strategy = {"rollingUpdate": {"maxUnavailable": allowed, "maxSurge": 0}}
    divided = [
        a_deployment(f"web-{number}", replicas=count, strategy=strategy)
        for number, count in enumerate(pods)
    ]
    targets = [count * share // 100 for count, share in zip(pods, shares, strict=False)]
    reached = [target * part // 100 for target, part in zip(targets, done, strict=False)]
    rows = [
        stepping.Row(one, done, target, count, is_held=target < count)
        for one, done, target, count in zip(divided, reached, targets, pods, strict=False)
    ]
    rungs = stepping.ladder(rows, STEPS)
    assert rungs[0] == tuple(reached)
    assert rungs[-1] == tuple(targets)
    for lower, upper in itertools.pairwise(rungs):
        for before, after, target, count in zip(lower, upper, targets, pods, strict=False):
            most = count * int(allowed[:-1]) // 100 if isinstance(allowed, str) else allowed
            assert before <= after <= target
            # What is not held any more goes at its own controller's pace.
            assert target == count or after - before <= max(1, math.floor(most))


def test_two_objects_whose_kinds_only_differ_in_their_groups_are_told_apart():
    plain = {**a_deployment(), "kind": "DaemonSet"}
    advanced = {**plain, "apiVersion": "apps.kruise.io/v1alpha1"}
    answered = told(a_work(advanced, plain), "DaemonSet")
    observed = feedback.observed(answered, "life", is_confirmed=True, steps=STEPS)
    assert observed is not None
    assert [one.is_applied for one in observed.objects] == [True, False]
