"""The Online Boutique in the middle of a release, as the product itself made it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from oneco.clock import Instant
from oneco.control.cache import Cache, CacheReader
from oneco.kinds import ocm
from oneco.kinds.naming import wave_key
from oneco.kinds.oam import REVISIONS
from oneco.kinds.release import (
    CHECK_RUNS,
    OBSERVATIONS,
    RELEASE_LABEL,
    RELEASES,
    UNITS,
    WAVE_LABEL,
)
from oneco.kube import documents, objects
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from oneco.main import scenario
from oneco.main.rehearsal import BEGINNING, Rehearsal
from oneco.main.report import Report
from oneco.worlds import clocks
from oneco.worlds.clocks import VirtualClock

EXAMPLE = Path(__file__).parent.parent / "examples" / "01-online-boutique"
_MIDWAY_SECONDS = 120.0
"""By then the first cluster keeps the silence after its second batch of three."""
_KINDS = (UNITS, RELEASES, ocm.WORKS, OBSERVATIONS, CHECK_RUNS, ocm.CLUSTERS, REVISIONS)
_NAME_LABEL = "app.oam.dev/name"


@dataclasses.dataclass(frozen=True, slots=True)
class Midway:
    """All the objects of a hub that deciders look at, at one moment."""

    now: Instant
    held: dict[Resource, Sequence[Object]]

    def reader(self) -> CacheReader:
        """These objects as the shell's cache shows them."""
        cache = Cache()
        cache.index("hub", RELEASES, (_NAME_LABEL,))
        cache.index("hub", UNITS, (RELEASE_LABEL, WAVE_LABEL, _NAME_LABEL))
        for resource, found in self.held.items():
            for one in found:
                cache.take("hub", resource, one)
        return CacheReader(cache)

    def having(self, resource: Resource, found: Sequence[Object]) -> Midway:
        """The same with other objects of one kind."""
        return Midway(self.now, {**self.held, resource: found})

    def decoded_anew(self) -> Midway:
        """Equal objects, none of which any memory knows."""
        return Midway(self.now, {key: decoded_anew(one) for key, one in self.held.items()})

    def unit(self) -> Object:
        """The unit that is in the middle of its batches."""
        phases = ("Progressing", "Silence")
        return next(one for one in self.held[UNITS] if one["status"]["phase"] in phases)

    def observation(self) -> Object:
        """What the agent of that unit reported last."""
        name = objects.name(self.unit())
        return next(one for one in self.held[OBSERVATIONS] if objects.name(one) == name)


def midway() -> Midway:
    """The hub of a rehearsal that was ended in its second batch."""
    held: list[Rehearsal] = []
    path = EXAMPLE / "rehearse-good"
    asked = dataclasses.replace(scenario.read(path), until_seconds=_MIDWAY_SECONDS)

    async def main(clock: VirtualClock) -> Report:
        held.append(Rehearsal(asked, clock))
        return await held[0].run()

    clocks.run(main, Instant(BEGINNING))
    server = held[0].server
    now = Instant(held[0].start + _MIDWAY_SECONDS)
    return Midway(now, {kind: server.list(Address(kind)).items for kind in _KINDS})


def with_wave(seen: Midway, clusters: int) -> Midway:
    """The same release with so many clusters in its only wave, each as the unit that is midway."""
    [release] = [one for one in seen.held[RELEASES] if one["status"]["phase"] == "Progressing"]
    key = wave_key(objects.namespace(release), objects.name(release), 0)
    units = [_copy(seen.unit(), number, key) for number in range(clusters)]
    wave = {**release["status"]["waves"][0], "units": clusters}
    status = {**release["status"], "units": clusters, "opened": clusters, "waves": [wave]}
    changed = seen.having(UNITS, units)
    return changed.having(RELEASES, [{**release, "status": status}])


def a_deployment() -> Object:
    """The frontend as a work carries it to an agent."""
    work = midway().held[ocm.WORKS][0]
    manifests = objects.dig(work, "spec", "workload", "manifests")
    found = [one for one in manifests if one["kind"] == "Deployment"]
    return next(one for one in found if objects.name(one) == "frontend")


def with_image(deployment: Object, image: str) -> Object:
    """The same Deployment with its container's image changed, and nothing else."""
    path = ("spec", "template", "spec", "containers")
    containers: Sequence[Object] = objects.dig(deployment, *path)
    return objects.put(deployment, path, [{**containers[0], "image": image}, *containers[1:]])


def decoded_anew(value: Any) -> Any:
    """An equal value that shares nothing with `value`, as if it came from another process."""
    return msgspec.json.decode(msgspec.json.encode(value))


def application(version: str, components: int) -> Object:
    """A version of the example with its last so many components."""
    file = EXAMPLE / version / "application.yaml"
    found = documents.read_files([file])
    [body] = [one.object for one in found if one.object["kind"] == "Application"]
    kept = body["spec"]["components"][-components:]
    return objects.put(body, ("spec", "components"), kept)


def _copy(unit: Object, number: int, wave: str) -> Object:
    name = f"cluster-{number:04}"
    labels = {**objects.labels(unit), WAVE_LABEL: wave}
    metadata = {
        **unit["metadata"],
        "namespace": name,
        "name": f"shop-{number:04}",
        "labels": labels,
    }
    spec = {**unit["spec"], "cluster": name, "wave": 0, "order": number}
    # A status of its own for each: a thousand agents report a thousand times.
    return {**unit, "metadata": metadata, "spec": spec, "status": {**unit["status"]}}
