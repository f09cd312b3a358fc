"""Open Cluster Management's work agent as far as a hub can tell, in memory and virtual time.

It knows nothing of ours: it applies manifests in their order, says `Applied` of the generation
that it saw, looks at what it was asked to tell every ten to nineteen seconds, and applies
everything anew every four to eight minutes. Nothing of the product's own agent is in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Iterator
from typing import Any

from oneco.clock import Clock, Instant
from oneco.kinds.conditions import Condition, with_condition
from oneco.kube import jsonpath, objects
from oneco.kube.api import Api, DeleteOptions, Patch, WriteOptions
from oneco.kube.errors import AlreadyExists, ApiError, ApiOutage, NotFound
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource, kind_of

WORKS = Resource("work.open-cluster-management.io", "v1", "manifestworks")
CLUSTERS = Resource("cluster.open-cluster-management.io", "v1", "managedclusters")
FINALIZER = "cluster.open-cluster-management.io/manifest-work-cleanup"
_TURN_SECONDS, _STATUS_SECONDS, _AGAIN_SECONDS = 10.0, 10.0, 240.0


class ForeignAgent:
    """The agent of one cluster."""

    def __init__(self, cluster: str, hub: Api, member: Api, clock: Clock) -> None:
        self._cluster, self._hub, self._member, self._clock = cluster, hub, member, clock
        self._news = asyncio.Event()
        self._resources: dict[Any, Any] = {}
        self._applied: dict[str, tuple[int, float]] = {}
        self._told: dict[str, float] = {}

    async def run(self) -> None:
        """Work until cancelled."""
        self._resources = {
            (one.resource.group, one.resource.version, one.kind): one
            for one in await self._member.discover()
        }
        watching = asyncio.ensure_future(self._watch())
        try:
            while True:
                self._news.clear()
                # What cannot be reached, or refuses, is tried again in the next turn.
                with contextlib.suppress(ApiError):
                    await self._join()
                    page = await self._hub.list(Address(WORKS, self._cluster))
                    for work in page.items:
                        with contextlib.suppress(ApiOutage):
                            await self._look(work)
                await self._until_news_or(Instant(self._clock.now() + _TURN_SECONDS))
        finally:
            watching.cancel()

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(ApiError):
                async for _ in self._hub.watch(Address(WORKS, self._cluster)):
                    self._news.set()
            await self._clock.sleep_until(Instant(self._clock.now() + _TURN_SECONDS))

    async def _until_news_or(self, instant: Instant) -> None:
        ways = [
            asyncio.ensure_future(self._news.wait()),
            asyncio.ensure_future(self._clock.sleep_until(instant)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()

    async def _join(self) -> None:
        """Say that the cluster joined and lives, where that is not said any more."""
        address = Address(CLUSTERS, "", self._cluster)
        cluster = await self._hub.get(address)
        status: Any = cluster.get("status") or {}
        conditions = status.get("conditions") or ()
        for kind in ("ManagedClusterJoined", "ManagedClusterConditionAvailable"):
            joined = Condition(kind, "True", kind, "joined")
            conditions = with_condition(conditions, joined, self._clock.now())
        if conditions is status.get("conditions"):
            return
        told = {"status": {**status, "conditions": list(conditions)}}
        await self._hub.patch(address._replace(subresource="status"), Patch("merge", told))

    async def _look(self, work: Object) -> None:
        name = objects.name(work)
        if objects.is_deleting(work):
            await self._take_off(work)
            return
        finalizers = objects.metadata(work).get("finalizers") or []
        if FINALIZER not in finalizers:
            body = {"metadata": {"finalizers": [*finalizers, FINALIZER]}}
            work = await self._hub.patch(_at(work), Patch("merge", body))
        now = self._clock.now()
        generation, at = self._applied.get(name, (0, 0.0))
        if objects.generation(work) != generation or now >= at + _AGAIN_SECONDS * _jitter(
            name, now
        ):
            work = await self._apply(work)
            self._applied[name] = (objects.generation(work), now)
        if now >= self._told.get(name, 0.0) + _STATUS_SECONDS * (1 + 0.9 * _jitter(name, now)):
            await self._tell(work)
            self._told[name] = now

    async def _apply(self, work: Object) -> Object:
        rows = []
        old = _old_rows(work)
        for number, manifest in enumerate(_manifests(work)):
            message = await self._put(work, manifest)
            word = "False" if message else "True"
            reason = "AppliedManifestFailed" if message else "AppliedManifestComplete"
            said = message or "Apply manifest complete"
            before = old.get(_key(manifest), {})
            conditions = with_condition(
                before.get("conditions", ()), Condition("Applied", word, reason, said),
                self._clock.now(),
            )  # fmt: skip
            meta = self._meta(number, manifest)
            feedback = before.get("statusFeedback", {})
            rows.append(
                {"resourceMeta": meta, "conditions": list(conditions), "statusFeedback": feedback}
            )
        await self._leave(work)
        failed = any(row["conditions"][0]["status"] == "False" for row in rows)
        applied = Condition(
            "Applied", "False" if failed else "True",
            "AppliedManifestWorkFailed" if failed else "AppliedManifestWorkComplete",
            "", objects.generation(work),
        )  # fmt: skip
        conditions = with_condition(_conditions(work), applied, self._clock.now())
        return await self._status(work, conditions, rows)

    async def _put(self, work: Object, manifest: Object) -> str:
        address = self._address(manifest)
        if address is None:
            return f"Failed to apply manifest: no matches for kind {manifest['kind']}"
        strategy = _config(work, manifest, address).get("updateStrategy") or {"type": "Update"}
        try:
            if strategy["type"] == "CreateOnly":
                with contextlib.suppress(AlreadyExists):
                    await self._member.create(address._replace(name=""), manifest)
                return ""
            options = WriteOptions(manager="work-agent", force=True)
            await self._member.apply(address, manifest, options)
        except ApiOutage:
            raise
        except ApiError as refusal:
            return f"Failed to apply manifest: {refusal}"
        return ""

    async def _tell(self, work: Object) -> None:
        rows = []
        for row, manifest in zip(_rows(work), _manifests(work), strict=False):
            live = await self._live(manifest)
            values = [] if live is None else list(_values(work, manifest, live, self._address))
            rows.append({**row, "statusFeedback": {"values": values} if values else {}})
        await self._status(work, _conditions(work), rows)

    async def _status(self, work: Object, conditions: Any, rows: Any) -> Object:
        status = {"conditions": list(conditions), "resourceStatus": {"manifests": rows}}
        if work.get("status") == status:
            return work
        body = {
            "metadata": {"resourceVersion": objects.resource_version(work)},
            "status": status,
        }
        place = _at(work)._replace(subresource="status")
        return await self._hub.patch(place, Patch("merge", body))

    async def _leave(self, work: Object) -> None:
        """Take away what the work told of last and does not any more."""
        wanted = {_key(one) for one in _manifests(work)}
        for key, row in _old_rows(work).items():
            if key not in wanted:
                await self._delete(work, row["resourceMeta"])

    async def _take_off(self, work: Object) -> None:
        for row in reversed(_rows(work)):
            await self._delete(work, row["resourceMeta"])
        finalizers = objects.metadata(work).get("finalizers") or []
        left = [one for one in finalizers if one != FINALIZER]
        if len(left) < len(finalizers):
            body = {"metadata": {"finalizers": left or None}}
            await self._hub.patch(_at(work), Patch("merge", body))

    async def _delete(self, work: Object, meta: Any) -> None:
        rules = objects.dig(
            work, "spec", "deleteOption", "selectivelyOrphans", "orphaningRules", default=()
        )
        named = {(one["resource"], one.get("namespace", ""), one["name"]) for one in rules}
        if (meta["resource"], meta["namespace"], meta["name"]) in named:
            return
        resource = Resource(meta["group"], meta["version"], meta["resource"])
        address = Address(resource, meta["namespace"], meta["name"])
        with contextlib.suppress(NotFound):
            await self._member.delete(address, DeleteOptions(propagation="Background"))

    async def _live(self, manifest: Object) -> Object | None:
        address = self._address(manifest)
        try:
            return await self._member.get(address) if address is not None else None
        except NotFound:
            return None

    def _address(self, manifest: Object) -> Address | None:
        info = self._resources.get(tuple(kind_of(manifest)))
        if info is None:
            return None
        namespace = objects.namespace(manifest) if info.namespaced else ""
        return Address(info.resource, namespace, objects.name(manifest))

    def _meta(self, number: int, manifest: Object) -> Object:
        kind, address = kind_of(manifest), self._address(manifest)
        return {
            "ordinal": number, "group": kind.group, "version": kind.version, "kind": kind.kind,
            "resource": address.resource.plural if address else "",
            "namespace": objects.namespace(manifest), "name": objects.name(manifest),
        }  # fmt: skip


def _manifests(work: Object) -> Any:
    return objects.dig(work, "spec", "workload", "manifests", default=())


def _rows(work: Object) -> Any:
    return objects.dig(work, "status", "resourceStatus", "manifests", default=())


def _old_rows(work: Object) -> dict[Any, Any]:
    found = ((row["resourceMeta"], row) for row in _rows(work))
    return {(meta["kind"], meta["namespace"], meta["name"]): row for meta, row in found}


def _key(manifest: Object) -> tuple[str, str, str]:
    return manifest["kind"], objects.namespace(manifest), objects.name(manifest)


def _conditions(work: Object) -> Any:
    return objects.dig(work, "status", "conditions", default=())


def _at(work: Object) -> Address:
    return Address(WORKS, objects.namespace(work), objects.name(work))


def _config(work: Object, manifest: Object, address: Address | None) -> Any:
    if address is None:
        return {}
    for one in objects.dig(work, "spec", "manifestConfigs", default=()):
        named = one["resourceIdentifier"]
        place = (named.get("group", ""), named["resource"], named.get("namespace", ""))
        given = (address.resource.group, address.resource.plural, objects.namespace(manifest))
        if (*place, named["name"]) == (*given, objects.name(manifest)):
            return one
    return {}


def _values(work: Object, manifest: Object, live: Object, address: Any) -> Iterator[Object]:
    for rule in _config(work, manifest, address(manifest)).get("feedbackRules", ()):
        for row in rule["jsonPaths"]:
            found = jsonpath.find(row["path"], live)
            value = found[0] if found else None
            # Anything but a single value is an error of the rule.
            if isinstance(value, bool):
                yield _field(row["name"], "Boolean", value)
            elif isinstance(value, int):
                yield _field(row["name"], "Integer", value)
            elif isinstance(value, str):
                yield _field(row["name"], "String", value)


def _field(name: str, kind: str, value: Any) -> Object:
    return {"name": name, "fieldValue": {"type": kind, kind.lower(): value}}


def _jitter(name: str, now: float) -> float:
    """A share between 0 and 1 that is the same in every run."""
    digest = hashlib.sha256(f"{name} {now:.0f}".encode()).digest()
    return digest[0] / 255
