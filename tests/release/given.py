"""Units and releases as deciders see them, built by hand."""

from __future__ import annotations

from typing import Any

import msgspec

from oneco.clock import Instant
from oneco.integrations.kubernetes.deployment import DeploymentWorkload
from oneco.kinds.release import (
    Good,
    ObjectRef,
    Observed,
    ObservedObject,
    PolicySpec,
    Problem,
    ReleaseSpec,
    ReleaseStatus,
    UnitSpec,
    UnitStatus,
    WaveStatus,
)
from oneco.kube import times
from oneco.kube.objects import Object
from oneco.kube.refs import Kind
from oneco.release import works
from oneco.release.ports import Gate
from oneco.release.seen import ReleaseSeen, UnitSeen
from oneco.release.variants import Variant

NOW = times.from_text("2026-11-21T08:00:00Z")
WORKLOADS = {Kind("apps", "v1", "Deployment"): DeploymentWorkload()}
NAME = "shop-1234"


def later(seconds: float) -> Instant:
    return Instant(NOW + seconds)


def at(seconds: float) -> str:
    return times.to_micro_text(later(seconds))


def a_deployment(
    name: str = "web", *, image: str = "web:1", replicas: int | None = 10, **spec: Any
) -> Object:
    scale = {} if replicas is None else {"replicas": replicas}
    template = {"spec": {"containers": [{"name": "c", "image": image}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {**scale, "template": template, **spec},
    }


def a_config(name: str = "settings", **data: str) -> Object:
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def a_variant(*manifests: Object, revision: str = "shop-v2") -> Variant:
    return Variant(revision, f"hash-of-{revision}", manifests, ((),) * len(manifests))


V1 = a_variant(a_deployment(image="web:1"), revision="shop-v1")
V2 = a_variant(a_deployment(image="web:2"), revision="shop-v2")
GOOD = Good(release="shop-v1", revision="shop-v1", variant=V1.hash)


def a_work(content: works.Content | None = None, *, generation: int = 3, **meta: Any) -> Object:
    annotations = {works.CONTENT_ANNOTATION: content.hash if content else "something else"}
    return {
        "metadata": {
            "name": NAME,
            "namespace": "here",
            "uid": "work-1",
            "generation": generation,
            "resourceVersion": "7",
            "annotations": annotations,
            **meta,
        },
        "spec": content.spec if content else {},
    }


def observed(*rows: ObservedObject, generation: int = 3, **more: Any) -> Observed:
    return Observed(work_uid="work-1", work_generation=generation, objects=rows, **more)


def pods(
    name: str = "web", *, replicas: int = 10, updated: int = 0, ready: int = 0, **more: Any
) -> ObservedObject:
    whole: dict[str, Any] = {"is_applied": True, "is_current": True, **more}
    return ObservedObject(
        ref=ObjectRef(api_version="apps/v1", kind="Deployment", namespace="default", name=name),
        replicas=replicas,
        updated=updated,
        updated_ready=ready,
        **whole,
    )


def an_object(kind: str, name: str = "settings", **more: Any) -> ObservedObject:
    whole: dict[str, Any] = {"is_applied": True, "is_current": True, **more}
    ref = ObjectRef(api_version="v1", kind=kind, namespace="default", name=name)
    return ObservedObject(ref=ref, **whole)


def crashing(count: int = 1) -> tuple[Problem, ...]:
    return (Problem(reason="CrashLoopBackOff", message="back-off 10s", pods=count),)


def a_unit(**changes: Any) -> UnitSeen:
    """A unit in the only wave of a release from V1 to V2, before its first batch."""
    policy = changes.pop("policy", PolicySpec(batches=("10%", "50%", "100%")))
    status = changes.pop("status", {})
    release = changes.pop("release", {})
    meta = {"name": NAME, "namespace": "here", "finalizers": ["onepersoncompany.io/work"]}
    whole: dict[str, Any] = {
        "unit": {"metadata": {**meta, **changes.pop("meta", {})}},
        "spec": UnitSpec(
            application="shop",
            application_namespace="default",
            cluster="here",
            release="shop-v2",
            revision="shop-v2",
            variant=V2.hash,
        ),
        "status": UnitStatus(**{"release": "shop-v2", "good": GOOD, "before": GOOD, **status}),
        "release": {"metadata": {"name": "shop-v2", "namespace": "default"}},
        "asked": ReleaseSpec(
            application="shop",
            revision="shop-v2",
            policy=policy,
            paused=release.pop("paused", False),
        ),
        "course": ReleaseStatus(**{"phase": "Progressing", "opened": 1, **release}),
        "work": a_work(),
        "observed": None,
        "target": V2,
        "before": V1,
        "checks": (),
        "is_reachable": True,
        **changes,
    }
    return UnitSeen(**whole)


def gated(count: int, variant: Variant = V2) -> works.Content:
    """The content of a work that lets so many pods of each Deployment change."""
    from oneco.release.variants import identity

    deployments = [one for one in variant.manifests if one["kind"] == "Deployment"]
    sizes = {identity(one): one["spec"].get("replicas", 10) for one in deployments}
    held = {key: Gate(count, 0, size) for key, size in sizes.items() if count < size}
    return works.content(variant, held, WORKLOADS)


def in_batch(batch: int, held_at: int, *rows: ObservedObject, **changes: Any) -> UnitSeen:
    """A unit whose work of this batch is written and seen."""
    status = {
        "phase": "Progressing",
        "batch": batch,
        "batches": 3,
        "pods": (10,),
        "is_touched": True,
        "started_at": at(-60),
        "batch_started_at": at(-60),
        "progressed_at": at(-60),
        **changes.pop("status", {}),
    }
    return a_unit(status=status, work=a_work(gated(held_at)), observed=observed(*rows), **changes)


def a_release(**changes: Any) -> ReleaseSeen:
    """A release under way: its first wave of two clusters, and a second of one."""
    policy = changes.pop("policy", PolicySpec())
    status = changes.pop("status", {})
    spec = changes.pop("spec", {})
    waves = (WaveStatus(name="test", first=0, units=2, started_at=at(-60)),
             WaveStatus(name="production", first=2, units=1))  # fmt: skip
    whole: dict[str, Any] = {
        "release": {"metadata": {"name": "shop-v2", "namespace": "default", "generation": 1}},
        "spec": ReleaseSpec(
            **{"application": "shop", "revision": "shop-v2", "policy": policy, **spec}
        ),
        "status": ReleaseStatus(
            **{"phase": "Progressing", "opened": 2, "units": 3, "waves": waves, **status}
        ),
        "is_overtaken": False,
        "waits_for": "",
        "clusters": (),
        "claimed": {},
        "units": (),
        **changes,
    }
    return ReleaseSeen(**whole)


def row(cluster: str, phase: str, *, wave: int = 0, **more: Any) -> tuple[UnitSpec, UnitStatus]:
    """A unit of a release, as the release sees it."""
    spec = UnitSpec(
        application="shop",
        application_namespace="default",
        cluster=cluster,
        release="shop-v2",
        wave=wave,
    )
    status: dict[str, Any] = {"release": "shop-v2", "phase": phase, "is_touched": True, **more}
    return spec, UnitStatus(**status)


def status_of(decision: Any) -> Any:
    """The status that a decision writes, or an empty one."""
    (written,) = decision.statuses
    return written.status


def kinds_of(decision: Any) -> list[str]:
    """The sorts of actions, in order."""
    return [type(action).__name__ for action in decision.actions]


def replace(status: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(status, **changes)
