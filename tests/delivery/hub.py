"""A hub as far as delivery sees it: objects in a dictionary, and decisions carried out on them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from oneco import definitions
from oneco.clock import Instant
from oneco.decision import Change, Create, Decision, Delete, Failure, Replace, Side
from oneco.delivery.decide import decide, gather
from oneco.kinds.oam import APPLICATIONS, NAME_LABEL, REVISIONS
from oneco.kinds.ocm import CLUSTERS, PLACEMENT_DECISIONS, PLACEMENT_LABEL, PLACEMENTS
from oneco.kinds.release import RELEASES, UNITS
from oneco.kube import merge_patch, objects
from oneco.kube.objects import Object, dig
from oneco.kube.refs import Address, Resource

NOW = Instant(1_800_000_000.0)


class Hub:
    """A Reader over what was put, and the shell that performs decisions."""

    def __init__(self) -> None:
        self.stored: dict[Address, Object] = {}
        self.numbers = itertools.count(1)
        self.now = NOW

    def get(self, address: Address, side: Side = "hub") -> Object | None:
        return self.stored.get(address)

    def list(self, resource: Resource, namespace: str = "", side: Side = "hub") -> Sequence[Object]:
        return [
            one
            for at, one in sorted(self.stored.items())
            if at.resource == resource and (not namespace or at.namespace == namespace)
        ]

    def labelled(
        self, resource: Resource, label: tuple[str, str], side: Side = "hub"
    ) -> Sequence[Object]:
        return [one for one in self.list(resource) if objects.labels(one).get(label[0]) == label[1]]

    def owned(self, resource: Resource, uid: str, side: Side = "hub") -> Sequence[Object]:
        found = self.list(resource)
        return [one for one in found if (objects.controller_of(one) or {}).get("uid") == uid]

    def failures(self) -> Sequence[Failure]:
        return ()

    def put(self, resource: Resource, obj: Object) -> Object:
        """Store `obj` with what a server adds."""
        head = {"uid": f"uid-{next(self.numbers)}", **objects.metadata(obj)}
        head["resourceVersion"] = str(next(self.numbers))
        stored = {**obj, "metadata": head}
        self.stored[Address(resource, objects.namespace(obj), objects.name(obj))] = stored
        return stored

    def cluster(self, name: str, *, is_accepted: bool = True, **labels: str) -> None:
        """A cluster of the fleet."""
        spec = {"hubAcceptsClient": is_accepted}
        self.put(CLUSTERS, {"metadata": {"name": name, "labels": labels}, "spec": spec})

    def application(self, spec: Object, **annotations: str) -> None:
        """The Application `shop`, made or changed."""
        address = Address(APPLICATIONS, "default", "shop")
        head = {"name": "shop", "namespace": "default", "labels": {"team": "web"}}
        old = self.stored.get(address) or {"metadata": head}
        changed = {**objects.metadata(old), "annotations": annotations}
        self.put(APPLICATIONS, {**old, "metadata": changed, "spec": spec})

    def decide(self) -> Decision:
        """One decision about `shop`, carried out."""
        seen = gather(self, ("default", "shop"))
        assert seen is not None
        decision = decide(seen, self.now, definitions.builtin())
        self.perform(decision)
        return decision

    def settle(self) -> Decision:
        """Decide until nothing changes any more."""
        for _ in range(10):
            before = dict(self.stored)
            decision = self.decide()
            if self.stored == before:
                return decision
        raise AssertionError("the decider never comes to rest")

    def perform(self, decision: Decision) -> None:
        for action in decision.actions:
            if isinstance(action, Create):
                address = action.address._replace(name=objects.name(action.body))
                if address not in self.stored:
                    self.put(action.address.resource, action.body)
            elif isinstance(action, Replace):
                self.put(action.address.resource, action.body)
            elif isinstance(action, Change):
                old = self.stored[action.address]
                patched = merge_patch.merge(old, action.patch.body)
                if objects.is_deleting(patched) and not objects.metadata(patched).get("finalizers"):
                    del self.stored[action.address]
                else:
                    self.put(action.address.resource, patched)
            elif isinstance(action, Delete):
                self.stored.pop(action.address, None)
        for write in decision.statuses:
            old = self.stored[write.address]
            if old.get("status") != write.status:
                self.stored[write.address] = {**old, "status": write.status}

    def choose(self, *clusters: str) -> None:
        """Answer every Placement with these clusters."""
        for one in self.list(PLACEMENTS):
            name = objects.name(one)
            head = {
                "name": f"{name}-decision-1",
                "namespace": "default",
                "labels": {PLACEMENT_LABEL: name},
            }
            rows = [{"clusterName": cluster, "reason": ""} for cluster in clusters]
            self.put(PLACEMENT_DECISIONS, {"metadata": head, "status": {"decisions": rows}})

    def end_release(self, phase: str, message: str = "") -> None:
        """Let the newest Release come to `phase`."""
        release = self.releases()[-1]
        address = Address(RELEASES, "default", objects.name(release))
        status = {"phase": phase, "message": message}
        self.stored[address] = {**release, "status": status}

    def unit(self, cluster: str, **spec: str) -> None:
        """A unit of `shop` in a cluster."""
        head = {"name": f"shop-{cluster}", "namespace": cluster, "labels": {NAME_LABEL: "shop"}}
        body = {"application": "shop", "applicationNamespace": "default", **spec}
        self.put(UNITS, {"metadata": head, "spec": body})

    def delete(self) -> None:
        """Somebody deletes the Application."""
        address = Address(APPLICATIONS, "default", "shop")
        old = self.stored[address]
        head = {**objects.metadata(old), "deletionTimestamp": "2027-01-15T08:00:00Z"}
        self.stored[address] = {**old, "metadata": head}

    def releases(self) -> Sequence[Object]:
        """The Releases, oldest first."""
        seen = gather(self, ("default", "shop"))
        return seen.releases if seen is not None else ()

    def revisions(self) -> Sequence[str]:
        """The names of the revisions."""
        return [objects.name(one) for one in self.list(REVISIONS)]

    def status(self) -> Object:
        """The status of the Application."""
        return dict(dig(self.stored[Address(APPLICATIONS, "default", "shop")], "status"))

    def condition(self, kind: str) -> tuple[str, str]:
        """Truth and message of one of its conditions."""
        for one in self.status()["conditions"]:
            if one["type"] == kind:
                return one["status"], one["message"]
        raise AssertionError(f"no condition {kind}")


def a_web(image: str = "nginx:1", **more: object) -> Object:
    """A component."""
    return {"name": "web", "type": "webservice", "properties": {"image": image}, **more}


def targets(release: Object) -> list[tuple[str, ...]]:
    """The clusters of each target that gets something, then those that get nothing."""
    rows = dig(release, "spec", "targets", default=())
    full = [tuple(one["clusters"]) for one in rows if one.get("variant")]
    return full + [("-", *one["clusters"]) for one in rows if not one.get("variant")]
