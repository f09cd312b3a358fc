"""What a changed Application would change in which clusters, and in which waves; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from oneco import definitions
from oneco.cli import fields
from oneco.cli.fields import Field
from oneco.delivery import plan, releases, rendering
from oneco.delivery.seen import ApplicationSeen
from oneco.kinds.oam import STAMPED_LABELS
from oneco.kinds.parts import parse
from oneco.kinds.release import UnitSpec, UnitStatus
from oneco.kube import objects
from oneco.kube.objects import Object, dig, encode
from oneco.release import order

Objects = Mapping[tuple[str, str, str], Object]
"""What a cluster gets of an application, by kind, namespace and name."""


class Hub(NamedTuple):
    """What the hub knows that decides about an application."""

    clusters: Sequence[Object] = ()
    units: Sequence[Object] = ()
    revisions: Sequence[Object] = ()
    policies: Sequence[Object] = ()


class ObjectChange(NamedTuple):
    """One object of the application in a cluster."""

    kind: str
    namespace: str
    name: str
    verdict: str
    fields: tuple[Field, ...]


class Variant(NamedTuple):
    """Clusters in which the same would change."""

    clusters: tuple[str, ...]
    objects: tuple[ObjectChange, ...]


class Wave(NamedTuple):
    """Clusters that would be released together."""

    name: str
    clusters: tuple[str, ...]


class Impact(NamedTuple):
    """Everything that a change of one application would bring."""

    application: str
    variants: tuple[Variant, ...]
    waves: tuple[Wave, ...]
    unchanged: int

    def document(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "application": self.application,
            "variants": [
                {
                    "clusters": list(one.clusters),
                    "objects": [
                        {**row._asdict(), "fields": [field._asdict() for field in row.fields]}
                        for row in one.objects
                    ],
                }
                for one in self.variants
            ],
            "waves": [{"name": one.name, "clusters": list(one.clusters)} for one in self.waves],
            "unchangedClusters": self.unchanged,
        }


def impact(application: Object, hub: Hub) -> Impact:
    """What `application`, if it were applied, would change in the clusters of this hub."""
    clusters = [one for one in hub.clusters if _is_accepted(one)]
    before = _before(application, hub)
    after = _after(application, clusters)
    groups: dict[tuple[bytes, bytes], list[str]] = {}
    known: dict[tuple[bytes, bytes], tuple[Objects, Objects]] = {}
    unchanged = 0
    for name in sorted({*before, *after}):
        old, new = before.get(name, {}), after.get(name, {})
        key = (_key(old), _key(new))
        if key[0] == key[1]:
            unchanged += 1
            continue
        groups.setdefault(key, []).append(name)
        known[key] = (old, new)
    changed = [name for names in groups.values() for name in names]
    return Impact(
        application=objects.name(application),
        variants=tuple(
            Variant(tuple(names), tuple(_changes(*known[key]))) for key, names in groups.items()
        ),
        waves=_waves(application, hub, changed),
        unchanged=unchanged,
    )


def _is_accepted(cluster: Object) -> bool:
    accepted = dig(cluster, "spec", "hubAcceptsClient", default=False)
    return bool(accepted) and not objects.is_deleting(cluster)


def _after(application: Object, clusters: Sequence[Object]) -> dict[str, dict[Any, Object]]:
    named = [(objects.name(one), objects.labels(one)) for one in clusters]
    known = {name for name, _ in named}
    found: dict[str, dict[Any, Object]] = {}
    for made in rendering.render(application, definitions.builtin(), clusters=named):
        # No cluster named means every one.
        for name in known if made.cluster is None else {made.cluster} & known:
            plain = _plain(made.manifest)
            found.setdefault(name, {})[_identity(plain)] = plain
    return found


def _before(application: Object, hub: Hub) -> dict[str, dict[Any, Object]]:
    by_hash: dict[tuple[str, str], dict[Any, Object]] = {}
    for revision in hub.revisions:
        for row in dig(revision, "spec", "variants", default=()):
            made = [_plain(one["manifest"]) for one in row.get("manifests") or ()]
            held = {_identity(one): one for one in made}
            by_hash[objects.name(revision), row["hash"]] = held
    found: dict[str, dict[Any, Object]] = {}
    for unit in hub.units:
        spec = parse(UnitSpec, unit.get("spec"), "spec")
        good = parse(UnitStatus, unit.get("status"), "status").good
        if good is not None and spec.application_namespace == objects.namespace(application):
            found[spec.cluster] = by_hash.get((good.revision, good.variant), {})
    return found


def _waves(application: Object, hub: Hub, changed: Iterable[str]) -> tuple[Wave, ...]:
    by_name = {objects.name(one): one for one in hub.clusters}
    candidates = [order.candidate(by_name[name], "") for name in changed if name in by_name]
    planned = plan.read(application, definitions.builtin())
    policy = releases.policy(
        planned, ApplicationSeen(application=application, policies=hub.policies)
    )
    return tuple(
        Wave(wave.name, tuple(unit.cluster for unit in wave.units))
        for wave in order.waves(policy, candidates)
    )


def _changes(old: Objects, new: Objects) -> Iterable[ObjectChange]:
    for identity in dict.fromkeys((*new, *old)):
        before, after = old.get(identity), new.get(identity)
        if before == after:
            continue
        verdict = "added" if before is None else "removed" if after is None else "changed"
        differing = fields.differences(before, after) if before and after else ()
        yield ObjectChange(*identity, verdict, differing)


def _key(every: Objects) -> bytes:
    return b"\0".join(encode(every[identity]) for identity in sorted(every))


def _identity(manifest: Object) -> tuple[str, str, str]:
    return manifest["kind"], objects.namespace(manifest), objects.name(manifest)


def _plain(manifest: Object) -> Object:
    """The manifest without the labels that say where it comes from."""
    kept = {
        key: value for key, value in objects.labels(manifest).items() if key not in STAMPED_LABELS
    }
    return objects.put(manifest, ("metadata", "labels"), kept)
