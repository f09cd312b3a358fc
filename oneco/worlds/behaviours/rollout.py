"""One look at one Deployment, as the real controller takes it: at most one kind of step each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from oneco.clock import Instant
from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Key
from oneco.worlds.behaviours import deployment_status as status
from oneco.worlds.behaviours import revisions, rolling, templates
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import DEPLOYMENTS, REPLICA_SETS
from oneco.worlds.behaviours.templates import HASH_LABEL, Comparisons


class Rollout:
    """A Deployment and its ReplicaSets while they are looked at."""

    __slots__ = (
        "_deployment", "_fence", "_hand", "_has_pods", "_key", "_new", "_olds", "_text", "_wanted",
    )  # fmt: skip

    def __init__(
        self,
        hand: Hand,
        deployment: Object,
        sets: Sequence[Object],
        *,
        comparisons: Comparisons,
        has_old_pods: Callable[[Object], bool],
    ) -> None:
        self._hand, self._deployment, self._has_pods = hand, deployment, has_old_pods
        metadata = deployment["metadata"]
        self._key = Key(DEPLOYMENTS, metadata["namespace"], metadata["name"])
        self._text = hand.now_text()
        self._wanted = status.wanted(deployment)
        self._fence = rolling.fence(deployment["spec"], self._wanted)
        by_age = sorted(sets, key=_age)
        template = deployment["spec"]["template"]
        self._new = next(
            (one for one in by_age if comparisons.is_same(template, one["spec"]["template"])),
            None,
        )
        self._olds = [one for one in by_age if one is not self._new]

    def step(self) -> Instant | None:
        """Take one step; the answer is when to look again though nothing changed, if ever."""
        if "deletionTimestamp" in self._deployment["metadata"]:
            return self._report(self._counted())
        self._note_pause()
        if self._deployment["spec"].get("paused"):
            return self._resize(is_paused=True)
        if self._renew():
            # Its ReplicaSet must first say how many are available by the changed patience. The
            # real controller stops here too: its second write in one look meets a conflict.
            return None
        if self._is_resized():
            return self._resize(is_paused=False)
        is_moving = self._recreate() if self._is_recreated() else self._roll()
        counted = status.with_progress(self._deployment, self._counted(), self._new, self._hand)
        recheck = self._report(counted)
        if not is_moving and status.is_complete(self._deployment, counted):
            self._clean_up()
        return recheck

    def _is_recreated(self) -> bool:
        return (self._deployment["spec"].get("strategy") or {}).get("type") == "Recreate"

    def _counted(self) -> Object:
        return status.count(self._deployment, self._all(), self._new, self._fence, self._text)

    def _report(self, new: Object) -> Instant | None:
        old = self._deployment.get("status") or {}
        if new != old:
            self._deployment = self._hand.report(self._key, self._deployment, new)
        return status.deadline(self._deployment, new)

    def _all(self) -> list[Object]:
        return [*self._olds, self._new] if self._new is not None else list(self._olds)

    def _note_pause(self) -> None:
        """Say when it is paused or resumed, so that the deadline does not count meanwhile."""
        if not status.has_deadline(self._deployment):
            return
        conditions = status.conditions_of(self._deployment)
        present = status.condition(conditions, "Progressing")
        if present is not None and present["reason"] == status.TIMED_OUT:
            return
        says_paused = present is not None and present["reason"] == status.PAUSED
        is_paused = bool(self._deployment["spec"].get("paused"))
        if is_paused == says_paused:
            return
        reason, message = (
            (status.PAUSED, "Deployment is paused")
            if is_paused
            else ("DeploymentResumed", "Deployment is resumed")
        )
        said = status.made("Progressing", "Unknown", reason, message, self._text)
        self._write_conditions(status.with_condition(conditions, said))

    def _write_conditions(self, conditions: status.Conditions, **annotations: str) -> None:
        obj = self._deployment
        if annotations:
            metadata = obj["metadata"]
            found = {**(metadata.get("annotations") or {}), **annotations}
            obj = {**obj, "metadata": {**metadata, "annotations": found}}
        changed = {**(obj.get("status") or {}), "conditions": conditions}
        self._deployment = self._hand.report(self._key, obj, changed)

    # The newest ReplicaSet.

    def _renew(self) -> bool:
        """Bring the newest ReplicaSet up to date if there is one; True where it was written."""
        if self._new is None:
            return False
        new, spec = self._new, self._new["spec"]
        patience = self._deployment["spec"].get("minReadySeconds") or 0
        is_other = patience != (spec.get("minReadySeconds") or 0)
        if is_other or not revisions.is_current(self._deployment, new, self._olds):
            found = revisions.renewed(self._deployment, new, self._olds)
            changed = {**new, "metadata": {**new["metadata"], "annotations": found}}
            if is_other:
                changed["spec"] = {**spec, "minReadySeconds": patience}
            self._new = self._write_set(changed, is_new_generation=is_other)
            return True
        self._adopt_revision(
            f'Found new replica set "{new["metadata"]["name"]}"', "FoundNewReplicaSet"
        )
        return False

    def _adopt_revision(self, message: str, reason: str, *, is_created: bool = False) -> None:
        """Take over the newest ReplicaSet's revision, and begin to count its deadline."""
        assert self._new is not None
        revision = self._new["metadata"]["annotations"][revisions.REVISION]
        conditions = status.conditions_of(self._deployment)
        present = status.condition(conditions, "Progressing")
        has_deadline = status.has_deadline(self._deployment)
        if has_deadline and (is_created or present is None):
            said = status.made("Progressing", "True", reason, message, self._text)
            after = status.with_condition(conditions, said)
        else:
            after = conditions
        own = (self._deployment["metadata"].get("annotations") or {}).get(revisions.REVISION)
        if after is not conditions or own != revision:
            self._write_conditions(after, **{revisions.REVISION: revision})

    def _create_new(self) -> None:
        deployment, spec = self._deployment, self._deployment["spec"]
        hashed = templates.hash_of(spec["template"])
        template = templates.with_label(spec["template"], HASH_LABEL, hashed)
        selector = spec["selector"]
        labels = {**(selector.get("matchLabels") or {}), HASH_LABEL: hashed}
        total = sum(status.replicas_of(one) for one in self._olds)
        replicas = (
            self._wanted
            if self._is_recreated()
            else rolling.new_replicas(self._wanted, 0, total, self._fence.surge)
        )
        new_spec: dict[str, Any] = {
            "replicas": replicas,
            "selector": {**selector, "matchLabels": labels},
            "template": template,
        }
        if spec.get("minReadySeconds"):
            new_spec["minReadySeconds"] = spec["minReadySeconds"]
        sizes = revisions.sizes(self._wanted, self._fence.surge)
        found = revisions.renewed(deployment, None, self._olds)
        name = f"{self._key.name}-{hashed}"
        self._new = self._hand.create(
            Key(REPLICA_SETS, self._key.namespace, name),
            {
                "apiVersion": "apps/v1",
                "kind": "ReplicaSet",
                "metadata": {
                    "labels": template["metadata"]["labels"],
                    "annotations": {**found, **sizes},
                    "ownerReferences": [templates.owner_reference(deployment)],
                },
                "spec": new_spec,
                "status": {"replicas": 0},
            },
        )
        self._adopt_revision(
            f'Created new replica set "{name}"', "NewReplicaSetCreated", is_created=True
        )

    # Sizes.

    def _write_set(self, replica_set: Object, *, is_new_generation: bool = True) -> Object:
        metadata = replica_set["metadata"]
        key = Key(REPLICA_SETS, metadata["namespace"], metadata["name"])
        write = self._hand.change if is_new_generation else self._hand.put
        return write(key, replica_set)

    def _scale(self, replica_set: Object, replicas: int) -> bool:
        """Give the ReplicaSet this size, and tell it the Deployment's."""
        metadata = replica_set["metadata"]
        sizes = revisions.sizes(self._wanted, self._fence.surge)
        present = metadata.get("annotations") or {}
        is_resized = status.replicas_of(replica_set) != replicas
        if not is_resized and sizes.items() <= present.items():
            return False
        changed = {**replica_set, "metadata": {**metadata, "annotations": {**present, **sizes}}}
        if is_resized:
            changed["spec"] = {**replica_set["spec"], "replicas": replicas}
        after = self._write_set(changed, is_new_generation=is_resized)
        if replica_set is self._new:
            self._new = after
        else:
            self._olds = [after if one is replica_set else one for one in self._olds]
        return is_resized

    def _scale_if_other(self, replica_set: Object, replicas: int) -> bool:
        return status.replicas_of(replica_set) != replicas and self._scale(replica_set, replicas)

    def _is_resized(self) -> bool:
        """Whether the Deployment's size changed since its ReplicaSets were told."""
        return any(
            status.replicas_of(one) > 0
            and (said := revisions.desired(one)) is not None
            and said != self._wanted
            for one in self._all()
        )

    def _resize(self, *, is_paused: bool) -> Instant | None:
        if is_paused:
            self._renew()
        self._spread()
        if is_paused:
            self._clean_up()
        return self._report(self._counted())

    def _spread(self) -> None:
        active = [one for one in self._all() if status.replicas_of(one) > 0]
        if len(active) <= 1:
            latest = active[0] if active else self._new or (self._olds[-1] if self._olds else None)
            if latest is not None:
                self._scale_if_other(latest, self._wanted)
        elif self._is_saturated():
            for old in active:
                if old is not self._new:
                    self._scale_if_other(old, 0)
        elif not self._is_recreated():
            self._spread_in_proportion(active)

    def _is_saturated(self) -> bool:
        new = self._new
        return new is not None and (
            status.replicas_of(new) == self._wanted
            and revisions.desired(new) == self._wanted
            and status.available_of(new) == self._wanted
        )

    def _spread_in_proportion(self, active: list[Object]) -> None:
        allowed = self._wanted + self._fence.surge if self._wanted > 0 else 0
        is_growing = allowed > sum(status.replicas_of(one) for one in active)
        # Of two sets of one size the newer grows first and the older shrinks first.
        ordered = sorted(active, key=_age, reverse=is_growing)
        ordered.sort(key=lambda one: -status.replicas_of(one))
        total = (self._deployment.get("status") or {}).get("replicas", 0)
        parts = [
            rolling.Part(status.replicas_of(one), revisions.most(one) or total) for one in ordered
        ]
        sizes = rolling.proportions(parts, self._wanted, self._fence.surge)
        for replica_set, size in zip(ordered, sizes, strict=True):
            self._scale(replica_set, size)

    # Steps.

    def _roll(self) -> bool:
        if self._new is None:
            self._create_new()
        return self._grow_new() or self._shrink_olds()

    def _grow_new(self) -> bool:
        assert self._new is not None
        present = status.replicas_of(self._new)
        if present > self._wanted:
            return self._scale_if_other(self._new, self._wanted)
        total = sum(status.replicas_of(one) for one in self._all())
        size = rolling.new_replicas(self._wanted, present, total, self._fence.surge)
        return self._scale_if_other(self._new, size)

    def _shrink_olds(self) -> bool:
        assert self._new is not None
        if not any(status.replicas_of(one) for one in self._olds):
            return False
        least = self._wanted - self._fence.unavailable
        total = sum(status.replicas_of(one) for one in self._all())
        unavailable = status.replicas_of(self._new) - status.available_of(self._new)
        most = total - least - unavailable
        if most <= 0:
            return False
        is_cleaned = self._shrink(most, only_unhealthy=True)
        available = sum(status.available_of(one) for one in self._all())
        return self._shrink(available - least, only_unhealthy=False) or is_cleaned

    def _shrink(self, most: int, *, only_unhealthy: bool) -> bool:
        """Take up to `most` pods from the old sets, the oldest first."""
        is_any = False
        for old in tuple(self._olds):
            size = status.replicas_of(old)
            if most <= 0:
                break
            loss = min(most, size - status.available_of(old) if only_unhealthy else size)
            if size and loss > 0:
                is_any = self._scale_if_other(old, size - loss) or is_any
                most -= loss
        return is_any

    def _recreate(self) -> bool:
        active = [one for one in self._olds if status.replicas_of(one) > 0]
        if active:
            for old in active:
                self._scale_if_other(old, 0)
            return True
        if any(self._has_pods(old) for old in self._olds):
            return True
        if self._new is None:
            self._create_new()
        assert self._new is not None
        return self._scale_if_other(self._new, self._wanted)

    def _clean_up(self) -> None:
        """Forget the oldest revisions beyond the history limit."""
        limit = self._deployment["spec"].get("revisionHistoryLimit", 10)
        surplus = len(self._olds) - limit
        for old in sorted(self._olds, key=revisions.number)[: max(0, surplus)]:
            found, metadata = old.get("status") or {}, old["metadata"]
            is_idle = not found.get("replicas") and not status.replicas_of(old)
            is_seen = metadata.get("generation", 0) <= found.get("observedGeneration", 0)
            if is_idle and is_seen and "deletionTimestamp" not in metadata:
                self._hand.delete(Key(REPLICA_SETS, metadata["namespace"], metadata["name"]))
                self._olds = [one for one in self._olds if one is not old]


def _age(replica_set: Object) -> tuple[str, str]:
    metadata = replica_set["metadata"]
    return metadata["creationTimestamp"], metadata["name"]
