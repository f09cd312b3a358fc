"""Which clusters a placement means: selectors, taints, and how many."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from oneco.clock import Instant
from oneco.errors import Refused
from oneco.kinds.ocm import ClusterClaim, ClusterSpec, ClusterStatus, Taint
from oneco.kinds.parts import Part, build, parse
from oneco.kinds.placement import (
    CLUSTER_SET_LABEL,
    UNAVAILABLE_TAINT,
    UNREACHABLE_TAINT,
    ClusterSelector,
    PlacementSpec,
    Toleration,
)
from oneco.kube import objects, selectors, times
from oneco.kube.errors import BadRequest
from oneco.kube.objects import Object

_LINK_TAINTS: Final = frozenset({UNREACHABLE_TAINT, UNAVAILABLE_TAINT})
_FOR_EVER: Final = float("inf")


class Choice(NamedTuple):
    """The chosen clusters by name; `matched` fit the selectors; `until` a toleration ends."""

    clusters: tuple[str, ...]
    matched: int
    until: Instant | None


class _Candidate(NamedTuple):
    is_new: bool
    is_avoided: bool
    name: str


class _Standing(NamedTuple):
    """What its taints mean for one cluster."""

    is_excluded: bool = False
    is_avoided: bool = False
    until: float = _FOR_EVER


def choose(
    spec: PlacementSpec, clusters: Sequence[Object], before: Collection[str], now: Instant
) -> Choice:
    """The clusters that `spec` means, those chosen `before` first; Refused where it says nonsense.

    A chosen cluster that cannot be reached stays chosen: a broken link is no reason to take an
    application off it.
    """
    fits = _fitting(spec)
    candidates: list[_Candidate] = []
    matched, until = 0, _FOR_EVER
    for cluster in clusters:
        if objects.is_deleting(cluster) or not fits(cluster):
            continue
        name = objects.name(cluster)
        is_new = name not in before
        own = parse(ClusterSpec, cluster.get("spec"), "spec")
        if is_new and not own.hub_accepts_client:
            continue
        matched += 1
        standing = _standing(own.taints, spec.tolerations, is_new, now)
        until = min(until, standing.until)
        if not standing.is_excluded:
            candidates.append(_Candidate(is_new, standing.is_avoided, name))
    candidates.sort()
    chosen = sorted(one.name for one in candidates[: spec.number_of_clusters])
    return Choice(tuple(chosen), matched, None if until == _FOR_EVER else Instant(until))


def _fitting(spec: PlacementSpec) -> Callable[[Object], bool]:
    ways = [
        _fitting_one(predicate.required_cluster_selector, f"spec.predicates[{index}]")
        for index, predicate in enumerate(spec.predicates)
    ]

    def fits(cluster: Object) -> bool:
        cluster_set = objects.labels(cluster).get(CLUSTER_SET_LABEL)
        if spec.cluster_sets and cluster_set not in spec.cluster_sets:
            return False
        return not ways or any(way(cluster) for way in ways)

    return fits


def _fitting_one(selector: ClusterSelector, where: str) -> Callable[[Object], bool]:
    where = f"{where}.requiredClusterSelector"
    if selector.cel_selector:
        raise Refused(
            f"{where}.celSelector", found="a CEL selector", wanted="labelSelector or claimSelector"
        )
    labels = _compiled(selector.label_selector, f"{where}.labelSelector")
    claims = _compiled(selector.claim_selector, f"{where}.claimSelector")

    def fits(cluster: Object) -> bool:
        if not labels.matches(objects.labels(cluster)):
            return False
        return claims.is_everything or claims.matches(_claims(cluster))

    return fits


def _compiled(part: Part | None, where: str) -> selectors.Selector:
    if part is None:
        return selectors.EVERYTHING
    try:
        return selectors.from_object(build(part))
    except BadRequest as mistake:
        raise Refused(where, found=str(mistake), wanted="a valid selector") from mistake


def _claims(cluster: Object) -> Mapping[str, str]:
    claims: Iterable[ClusterClaim] = parse(ClusterStatus, cluster.get("status")).cluster_claims
    return {claim.name: claim.value for claim in claims}


def _standing(
    taints: Sequence[Taint], tolerations: Sequence[Toleration], is_new: bool, now: Instant
) -> _Standing:
    standing = _Standing()
    for taint in taints:
        if not is_new and (taint.key in _LINK_TAINTS or taint.effect == "NoSelectIfNew"):
            continue
        tolerated_until = max(
            (_ends(one, taint) for one in tolerations if _tolerates(one, taint)), default=0.0
        )
        if now < tolerated_until:
            standing = standing._replace(until=min(standing.until, tolerated_until))
        elif taint.effect == "PreferNoSelect":
            standing = standing._replace(is_avoided=True)
        else:
            standing = standing._replace(is_excluded=True)
    return standing


def _tolerates(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.operator == "Exists":
        return not toleration.key or toleration.key == taint.key
    return toleration.key == taint.key and toleration.value == taint.value


def _ends(toleration: Toleration, taint: Taint) -> float:
    if toleration.toleration_seconds is None or not taint.time_added:
        return _FOR_EVER
    return times.from_text(taint.time_added) + toleration.toleration_seconds
