"""The tree of a release: what is shown, what is folded, and why each part waits."""

from __future__ import annotations

from typing import Any

from oneco.cli import drawing
from oneco.cli.tree import SHOWN_CLUSTERS, Application, tree
from oneco.kube.objects import Object

SINCE, UNTIL = "2026-11-21T08:00:00.000000Z", "2026-11-21T08:12:00.000000Z"


def an_application(phase: str = "runningWorkflow", **meta: Any) -> Object:
    return {
        "metadata": {"name": "shop", "namespace": "default", "generation": 2, **meta},
        "spec": {},
        "status": {"status": phase, "observedGeneration": 2},
    }


def a_wave(name: str, units: int, **more: Any) -> dict[str, Any]:
    return {"name": name, "units": units, **more}


def a_release(phase: str, *waves: dict[str, Any], revision: str = "shop-v2", **more: Any) -> Object:
    spec = {"application": "shop", "revision": revision}
    status = {"phase": phase, "waves": list(waves), "message": "", **more}
    return {
        "metadata": {
            "name": revision,
            "namespace": "default",
            "labels": {"onepersoncompany.io/sequence": revision[-1]},
        },
        "spec": {**spec, "paused": more.pop("paused", False)},
        "status": {key: value for key, value in status.items() if key != "paused"},
    }


def a_unit(
    cluster: str, phase: str = "Waiting", wave: int = 0, order: int = 0, **more: Any
) -> Object:
    return {
        "spec": {
            "application": "shop",
            "applicationNamespace": "default",
            "cluster": cluster,
            "release": "shop-v2",
            "wave": wave,
            "order": order,
        },
        "status": {"release": "shop-v2", "phase": phase, **more},
    }


def shown(application: Application) -> list[str]:
    return drawing.text(application).splitlines()


def test_an_application_that_nobody_has_looked_at_says_so():
    fresh = {"metadata": {"name": "shop", "namespace": "default", "generation": 1}, "spec": {}}
    made = tree(fresh, [], [])
    assert made.messages == ("the hub has not looked at its last change yet",)
    assert not made.is_at_rest


def test_a_release_under_way_shows_the_batch_its_pods_and_what_is_waited_for():
    workload = {"kind": "Deployment", "name": "web", "replicas": 10, "target": 3}
    units = [
        a_unit("lab", "Progressing", batch=2, batches=4, isTouched=True,
               message="1 of 3 new pods of web are ready",
               workloads=[{**workload, "updated": 3, "ready": 1}]),
    ]  # fmt: skip
    release = a_release("Progressing", a_wave("test", 1, startedAt=SINCE), opened=1,
                        message="wave test: 0 of 1 clusters done")  # fmt: skip
    assert shown(tree(an_application(), [release], units)) == [
        "● Application default/shop  runningWorkflow  shop-v2",
        "└─ ● Release shop-v2  Progressing: wave test: 0 of 1 clusters done",
        "   └─ ● wave 1 test  0 of 1 cluster done",
        "      └─ ● lab  batch 2 of 4, 1 of 3 new pods of web are ready",
        "         └─ ● web  3 of 3 pods updated, 1 ready (10 in all)",
    ]


def test_workloads_of_one_name_are_told_apart_by_kind_and_group():
    web = {"kind": "StatefulSet", "name": "web", "replicas": 4, "target": 1, "updated": 0}
    rows = [{**web, "apiVersion": version, "ready": 0}
            for version in ("apps/v1", "apps.kruise.io/v1beta1")]  # fmt: skip
    units = [a_unit("lab", "Progressing", batch=1, batches=2, isTouched=True, workloads=rows)]
    release = a_release("Progressing", a_wave("test", 1, startedAt=SINCE), opened=1)
    made = tree(an_application(), [release], units)
    named = [line.partition("● ")[2].partition("  ")[0] for line in shown(made)[-2:]]
    assert named == ["StatefulSet web", "StatefulSet.apps.kruise.io web"]
    (cluster,) = made.releases[0].waves[0].clusters
    assert [one.api_version for one in cluster.workloads] == ["apps/v1", "apps.kruise.io/v1beta1"]


def test_a_silence_says_until_when():
    workload = {"kind": "Deployment", "name": "web", "replicas": 10, "target": 1}
    units = [
        a_unit("lab", "Silence", batch=1, batches=4, isTouched=True,
               message="batch 1 is ready; silence until 2026-11-21T08:30:00Z",
               workloads=[{**workload, "updated": 1, "ready": 1}]),
    ]  # fmt: skip
    release = a_release("Progressing", a_wave("test", 1, startedAt=SINCE), opened=1)
    line = shown(tree(an_application(), [release], units))[-1]
    assert line == (
        "      └─ ● lab  batch 1 of 4, 1 of 10 pods updated and ready,"
        " silence until 2026-11-21T08:30:00Z"
    )


def test_a_wave_that_is_over_is_folded_to_its_counts_and_the_time_it_took():
    waves = (
        a_wave("test", 2, startedAt=SINCE, finishedAt=UNTIL, succeeded=2),
        a_wave("production", 500, first=2),
    )
    units = [a_unit("lab", "Succeeded"), a_unit("box", "Succeeded", order=1)]
    units += [a_unit(f"p-{n}", wave=1, order=n + 2) for n in range(500)]
    said = "wave test is done; silence until 2026-11-21T08:40:00Z"
    release = a_release("Progressing", *waves, reason="Silence", opened=2, message=said)
    assert shown(tree(an_application(), [release], units))[2:] == [
        "   ├─ ✔ wave 1 test  2 of 2 clusters done, took 12m,"
        " wave test is done; silence until 2026-11-21T08:40:00Z",
        "   └─ · wave 2 production  500 clusters, begins after the silence of wave test",
    ]


def test_of_a_thousand_clusters_those_that_need_a_look_come_first():
    units = [a_unit(f"c-{n:04}", "Progressing", order=n, batch=1, batches=2) for n in range(999)]
    units.append(a_unit("broken", "Failed", order=999, isTouched=True, message="2 pods crash"))
    release = a_release("Progressing", a_wave("all", 1000, startedAt=SINCE, failed=1), opened=1000)
    wave = tree(an_application(), [release], units).releases[0].waves[0]
    assert wave.clusters[0].name == "broken"
    assert len(wave.clusters) == SHOWN_CLUSTERS
    assert wave.folded == 1000 - SHOWN_CLUSTERS
    whole = tree(an_application(), [release], units, is_whole=True)
    assert len(whole.releases[0].waves[0].clusters) == 1000


def test_a_cluster_that_waits_for_its_turn_says_so():
    units = [
        a_unit("a", "Progressing", isTouched=True, batch=1, batches=1, message="1 of 2 ready"),
        a_unit("b", order=1),
    ]
    release = a_release("Progressing", a_wave("all", 2, startedAt=SINCE), opened=1)
    clusters = tree(an_application(), [release], units).releases[0].waves[0].clusters
    assert clusters[1].message.startswith("waits for its turn")


def test_a_unit_whose_status_speaks_of_the_release_before_is_waiting():
    unit = a_unit("a", "Succeeded")
    stale = {**unit, "status": {"release": "shop-v1", "phase": "Succeeded", "message": "done"}}
    release = a_release("Progressing", a_wave("all", 1, startedAt=SINCE), opened=1)
    (cluster,) = tree(an_application(), [release], [stale]).releases[0].waves[0].clusters
    assert cluster.state == "waiting"


def test_a_blocked_release_is_at_rest_and_its_later_waves_never_begun():
    waves = (a_wave("test", 1, startedAt=SINCE, failed=1), a_wave("production", 5, first=1))
    release = a_release("Blocked", *waves, opened=1, message="lab: 2 pods crash; nothing more")
    made = tree(an_application("unhealthy"), [release], [a_unit("lab", "Failed")])
    assert made.state == "failed"
    assert made.is_at_rest
    assert made.releases[0].waves[1].message == "never begun"


def test_a_rollback_is_followed_to_its_end():
    wave = a_wave("test", 1, startedAt=SINCE, rolledBack=1)
    going = a_release("RollingBack", wave, opened=1, message="rolls back: lab: crash")
    over = a_release("RolledBack", wave, opened=1, message="1 cluster rolled back")
    units = [a_unit("lab", "RolledBack")]
    assert not tree(an_application(), [going], units).is_at_rest
    ended = tree(an_application("workflowFailed"), [over], units)
    assert ended.is_at_rest
    assert ended.state == "back"


def test_a_pause_that_the_hub_has_not_seen_yet_is_told():
    release = a_release("Progressing", a_wave("all", 1, startedAt=SINCE), paused=True, opened=1)
    made = tree(an_application(), [release], [])
    assert made.releases[0].message == "a pause was asked for; the hub will act on it"


def test_only_the_newest_revision_is_shown():
    old = a_release("Succeeded", revision="shop-v1")
    new = a_release("Progressing", a_wave("all", 1, startedAt=SINCE))
    made = tree(an_application(), [new, old], [])
    assert [one.name for one in made.releases] == ["shop-v2"]


def test_what_keeps_an_application_from_being_delivered_is_told():
    wrong = {
        "type": "Render", "status": "False", "reason": "ReconcileError",
        "message": "no cluster fits", "lastTransitionTime": "2026-11-21T08:00:00Z",
    }  # fmt: skip
    application = an_application("rendering")
    faulty = {**application, "status": {**application["status"], "conditions": [wrong]}}
    made = tree(faulty, [], [])
    assert made.messages == ("no cluster fits",)
    assert made.state == "failed"
