"""Server-side apply: who owns what after it, and what it leaves alone."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oneco.kube import apply, defaults, errors, manifests
from tests.kube.built_in import type_of

DEPLOYMENT = type_of("apps/v1", "Deployment")
CONFIG_MAP = type_of("v1", "ConfigMap")
NOW, LATER = "2026-11-21T08:00:00Z", "2026-11-21T09:00:00Z"


def config_map(**data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}


def apply_config(live, manager, force=False, now=NOW, **data):
    return apply.apply(
        live, config_map(**data), manager=manager, type=CONFIG_MAP, now_text=now, force=force,
        has_status=False,
    )  # fmt: skip


def owned(obj):
    """What each manager owns of the data."""
    entries = obj["metadata"].get("managedFields", [])
    return {
        entry["manager"]: sorted(name[2:] for name in entry["fieldsV1"].get("f:data", {}))
        for entry in entries
    }


def test_what_a_manager_leaves_out_is_removed():
    live = apply_config(None, "a", x="1", y="2")
    after = apply_config(live, "a", x="1")
    assert after["data"] == {"x": "1"}
    assert owned(after) == {"a": ["x"]}


def test_what_another_manager_owns_too_stays_when_one_leaves_it_out():
    live = apply_config(apply_config(None, "a", x="1", y="2"), "b", y="2")
    after = apply_config(live, "a", x="1")
    assert after["data"] == {"x": "1", "y": "2"}
    assert owned(after) == {"a": ["x"], "b": ["y"]}


def test_managers_of_one_manifest_let_go_of_it_each_for_itself():
    shared = config_map(x="1", y="2")
    live = apply_config(None, "a", x="1", y="2")
    for manager in ("a", "b"):
        live = apply.apply(
            live, shared, manager=manager, type=CONFIG_MAP, now_text=NOW, has_status=False
        )
    after = apply_config(live, "a", x="1")
    assert after["data"] == {"x": "1", "y": "2"}
    assert owned(after) == {"a": ["x"], "b": ["x", "y"]}


def test_kubectl_takes_over_what_it_applied_from_its_own_side():
    applied = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"x": "1"}}
    annotation = "kubectl.kubernetes.io/last-applied-configuration"
    new = config_map(x="1")
    new["metadata"] = {"name": "c", "annotations": {annotation: json.dumps(applied)}}
    live = apply.update(
        None, new, manager="kubectl-client-side-apply", type=CONFIG_MAP, now_text=NOW,
        has_status=False,
    )  # fmt: skip
    with pytest.raises(errors.Conflict):
        apply_config(live, "somebody", x="2")
    after = apply_config(live, "kubectl", x="2")
    assert after["data"] == {"x": "2"}
    assert json.loads(after["metadata"]["annotations"][annotation])["data"] == {"x": "2"}


def test_items_that_somebody_else_moved_are_put_back_in_order():
    manifest = deployment([("web", "web:1", ("A", "B"))])
    live = apply_deployment(None, manifest, "a")
    moved = copy.deepcopy(live)
    moved["spec"]["template"]["spec"]["containers"][0]["env"].reverse()
    seen = apply.update(live, moved, manager="b", type=DEPLOYMENT, now_text=LATER)
    after = apply_deployment(seen, manifest, "a")
    env = after["spec"]["template"]["spec"]["containers"][0]["env"]
    assert [one["name"] for one in env] == ["A", "B"]


def test_what_nobody_owned_is_never_removed():
    live = apply_config(None, "a", x="1")
    stranger = {**live, "data": {**live["data"], "z": "9"}}
    assert apply_config(stranger, "a", x="2")["data"] == {"x": "2", "z": "9"}


def test_a_field_of_another_manager_is_a_conflict_that_names_it():
    live = apply_config(None, "a", x="1")
    with pytest.raises(errors.Conflict) as refused:
        apply_config(live, "b", x="2")
    assert refused.value.message == 'Apply failed with 1 conflict: conflict with "a": .data.x'
    assert refused.value.status()["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "a"', "field": ".data.x"}
    ]


def test_force_takes_the_field_from_its_manager():
    live = apply_config(None, "a", x="1", y="2")
    after = apply_config(live, "b", force=True, x="3")
    assert after["data"] == {"x": "3", "y": "2"}
    assert owned(after) == {"a": ["y"], "b": ["x"]}


def test_an_apply_that_changes_nothing_gives_the_object_itself():
    live = apply_config(None, "a", x="1")
    assert apply_config(live, "a", now=LATER, x="1") is live
    manifests.forget()
    assert apply_config(live, "a", now=LATER, x="1") is live


def test_the_time_of_an_entry_moves_only_with_a_change():
    live = apply_config(None, "a", x="1")
    after = apply_config(live, "a", now=LATER, x="2")
    assert [entry["time"] for entry in live["metadata"]["managedFields"]] == [NOW]
    assert [entry["time"] for entry in after["metadata"]["managedFields"]] == [LATER]


def test_an_object_without_any_record_counts_as_somebody_elses():
    live = config_map(x="1", y="2")
    after = apply_config(live, "a", x="1")
    assert owned(after) == {"a": ["x"], "before-first-apply": ["", "x", "y"]}


def test_a_manifest_with_a_field_that_no_type_declares_is_refused_by_name():
    manifest = {**config_map(x="1"), "dta": {}}
    with pytest.raises(errors.Unstated) as refused:
        apply.apply(None, manifest, manager="a", type=CONFIG_MAP, now_text=NOW)
    assert refused.value.message == (
        "failed to create typed patch object (/c; /v1, Kind=ConfigMap): "
        ".dta: field not declared in schema"
    )


def test_a_manifest_with_managed_fields_is_refused():
    manifest = config_map(x="1")
    manifest["metadata"] = {"name": "c", "managedFields": []}
    with pytest.raises(errors.BadRequest) as refused:
        apply.apply(None, manifest, manager="a", type=CONFIG_MAP, now_text=NOW)
    assert refused.value.message == "metadata.managedFields must be nil"


def test_a_value_that_defaults_bring_back_is_no_change():
    manifest = deployment([("web", "web:1", ())])
    live = apply_deployment(None, manifest, "a")
    again = copy.deepcopy(manifest)
    again["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "1000m"}}
    first = apply_deployment(live, again, "a")
    written = copy.deepcopy(again)
    written["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"] = "1"
    assert first["spec"]["template"]["spec"]["containers"][0]["resources"] == {
        "limits": {"cpu": "1"}
    }
    assert apply_deployment(first, written, "a") is first


def deployment(containers, replicas=None, labels=()):
    spec = {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web", **dict(labels)}},
            "spec": {
                "containers": [
                    {
                        "name": name,
                        "image": image,
                        **({"env": [{"name": one, "value": "1"} for one in env]} if env else {}),
                    }
                    for name, image, env in containers
                ]
            },
        },
    }
    if replicas is not None:
        spec["replicas"] = replicas
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": dict(labels)},
        "spec": spec,
    }


def apply_deployment(live, manifest, manager, force=True, now=NOW):
    return apply.apply(
        live, manifest, manager=manager, type=DEPLOYMENT, now_text=now, force=force,
        finish=defaults.default,
    )  # fmt: skip


envs = st.lists(st.sampled_from("ABC"), max_size=3, unique=True).map(tuple)
deployments = st.builds(
    deployment,
    st.lists(
        st.tuples(st.sampled_from("xyz"), st.sampled_from(["i:1", "i:2"]), envs),
        min_size=1,
        max_size=3,
        unique_by=lambda container: container[0],
    ),
    st.one_of(st.none(), st.integers(0, 2)),
    st.dictionaries(st.sampled_from("pqr"), st.sampled_from("12"), max_size=2).map(
        lambda labels: tuple(labels.items())
    ),
)
steps = st.lists(
    st.tuples(deployments, st.sampled_from("ab"), st.sampled_from(["apply", "apply", "update"])),
    min_size=2,
    max_size=6,
)


def replay(history, is_fresh):
    """The object after a history of writes; `is_fresh` forgets what the fast ways live from."""
    live = None
    for number, (manifest, manager, operation) in enumerate(history):
        now = f"2026-11-21T08:00:0{number}Z"
        if is_fresh:
            manifests.forget()
            live, manifest = copy.deepcopy(live), copy.deepcopy(manifest)
        if operation == "apply" or live is None:
            live = apply_deployment(live, manifest, manager, now=now)
        else:
            given = {**manifest, "metadata": {**live["metadata"], **manifest["metadata"]}}
            live = apply.update(
                live, defaults.default(given), manager=manager, type=DEPLOYMENT, now_text=now
            )
    return live


@settings(max_examples=60, deadline=None)
@given(steps)
def test_following_the_last_manifest_gives_what_comparing_everything_gives(history):
    assert replay(history, is_fresh=False) == replay(history, is_fresh=True)


@settings(max_examples=40, deadline=None)
@given(deployments, deployments)
def test_the_only_manager_gets_exactly_what_it_applies(first, second):
    live = apply_deployment(apply_deployment(None, first, "a"), second, "a")
    fresh = apply_deployment(None, second, "a")
    assert sorted_containers(live["spec"]) == sorted_containers(fresh["spec"])
    assert live["metadata"].get("labels") == fresh["metadata"].get("labels")


def sorted_containers(spec):
    containers = spec["template"]["spec"]["containers"]
    return sorted((one["name"], one["image"], str(one.get("env"))) for one in containers)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(deployments, st.sampled_from("abc")), min_size=1, max_size=5))
def test_updates_recorded_late_are_recorded_as_if_at_once(history):
    live: Any = None
    written: Any = None
    pending: list[apply.Pending] = []
    for number, (manifest, manager) in enumerate(history):
        now = f"2026-11-21T08:00:0{number}Z"
        pending.append(apply.Pending(manager, written, manifest, now))
        if live is not None:
            manifest = {**manifest, "metadata": {**live["metadata"], **manifest["metadata"]}}
        live = apply.update(live, manifest, manager=manager, type=DEPLOYMENT, now_text=now)
        written = pending[-1].after
    late = apply.resolve(written, pending, DEPLOYMENT)
    assert late["metadata"]["managedFields"] == live["metadata"]["managedFields"]


def test_more_than_ten_updaters_are_summed_up():
    live = apply.update(
        None, config_map(), manager="m", type=CONFIG_MAP, now_text=NOW, has_status=False
    )
    for number in range(12):
        new = {**live, "data": {**live.get("data", {}), f"k{number:02}": "1"}}
        live = apply.update(
            live, new, manager=f"m{number:02}", type=CONFIG_MAP, has_status=False,
            now_text=f"2026-11-21T08:00:{number:02}Z",
        )  # fmt: skip
    entries = live["metadata"]["managedFields"]
    assert len(entries) == 10
    assert entries[0]["manager"] == "ancient-changes"


def test_a_status_write_owns_only_the_status():
    live = apply_deployment(None, deployment([("web", "web:1", ())]), "a")
    new = {**live, "status": {"replicas": 1}, "spec": {**live["spec"], "replicas": 9}}
    after = apply.update(
        live, new, manager="controller", type=DEPLOYMENT, now_text=NOW, subresource="status"
    )
    entry = after["metadata"]["managedFields"][1]
    assert entry["subresource"] == "status"
    assert entry["fieldsV1"] == {"f:status": {"f:replicas": {}}}
