"""What an Application is in a cluster: the manifests of one variant, and how two differ."""

from __future__ import annotations

from typing import NamedTuple

from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.kube.refs import Kind, kind_of
from oneco.kube.remembered import Remembered
from oneco.release.ports import Workloads


class Identity(NamedTuple):
    """One object of a variant, by what a cluster tells it apart."""

    kind: Kind
    namespace: str
    name: str


class Variant(NamedTuple):
    """The objects that a cluster gets, with the live paths that their definitions read."""

    revision: str
    hash: str
    manifests: tuple[Object, ...]
    reads: tuple[tuple[str, ...], ...]


NOTHING = Variant("", "", (), ())
"""What an application is where it is not, or no longer."""


_variants: Remembered[dict[str, Variant]] = Remembered()
_divided: Remembered[tuple[Object, ...]] = Remembered()


def find(revision: Object | None, variant: str) -> Variant | None:
    """The variant of an ApplicationRevision with this hash; the same object each time."""
    if not variant:
        return NOTHING
    return _variants.ask(_all, revision).get(variant) if revision is not None else None


def _all(revision: Object) -> dict[str, Variant]:
    rows = objects.dig(revision, "spec", "variants", default=())
    return {row["hash"]: _variant(objects.name(revision), row) for row in rows}


def _variant(revision: str, row: Object) -> Variant:
    manifests = row.get("manifests") or ()
    return Variant(
        revision,
        row["hash"],
        tuple(one["manifest"] for one in manifests),
        tuple(tuple(one.get("reads") or ()) for one in manifests),
    )


def identity(manifest: Object) -> Identity:
    """How a cluster tells this object apart."""
    return Identity(kind_of(manifest), objects.namespace(manifest), objects.name(manifest))


def divided(target: Variant, before: Variant, workloads: Workloads) -> tuple[Object, ...]:
    """The workloads whose pods a change from `before` to `target` replaces, batch by batch.

    A workload that was not there before has no old pods to keep, so it is not divided.
    """
    return _divided.ask(_divide, target, before, workloads)


def _divide(target: Variant, before: Variant, workloads: Workloads) -> tuple[Object, ...]:
    old = {place(identity(one)): one for one in before.manifests}
    return tuple(one for one in target.manifests if _is_divided(one, old, workloads))


def place(named: Identity) -> Identity:
    """Where the object stands: written in another version of its API, it is still the same one."""
    return named._replace(kind=named.kind._replace(version=""))


def _is_divided(manifest: Object, old: dict[Identity, Object], workloads: Workloads) -> bool:
    driver = workloads.get(kind_of(manifest))
    previous = old.get(place(identity(manifest)))
    if driver is None or previous is None or not driver.is_divisible(manifest):
        return False
    return bool(driver.template(manifest) != driver.template(previous))
