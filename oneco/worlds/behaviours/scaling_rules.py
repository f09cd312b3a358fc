"""How far and how fast an autoscaler may scale: limits, policies and windows, as numbers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple

from oneco.clock import Instant
from oneco.kube.objects import Object

WINDOW_SECONDS = 300.0
"""How long an autoscaler without a window of its own remembers, before it scales down."""
_FASTEST_FACTOR, _FASTEST_LEAST = 2.0, 4.0
_UP = (
    "recent recommendations were lower than current one, applying the lowest recent recommendation"
)
_DOWN = (
    "recent recommendations were higher than current one, applying the highest recent "
    "recommendation"
)
_TOO_FAST = "the desired replica count is {} faster than the maximum scale rate"


class Moment(NamedTuple):
    """A number of pods, and when it was recommended or changed by."""

    pods: int
    at: Instant


class Bounds(NamedTuple):
    """Between how many pods an autoscaler chooses, and how many there are."""

    least: int
    most: int
    current: int


class Said(NamedTuple):
    """A number of pods with the reason and the words of a condition."""

    pods: int
    reason: str
    message: str


@dataclasses.dataclass(slots=True)
class Memory:
    """What an autoscaler remembers between two looks; like the real one, not for ever."""

    recommendations: list[Moment]
    ups: list[Moment] = dataclasses.field(default_factory=list)
    downs: list[Moment] = dataclasses.field(default_factory=list)

    def note(self, before: int, after: int, now: Instant, behavior: Object | None) -> None:
        """Remember a change of size as long as the longest policy asks."""
        if behavior is None:
            return
        rules = behavior["scaleUp" if after > before else "scaleDown"]
        longest = max((one["periodSeconds"] for one in rules["policies"]), default=0)
        kept = self.ups if after > before else self.downs
        kept[:] = [one for one in kept if one.at >= now - longest]
        kept.append(Moment(abs(after - before), now))


def stabilized(
    memory: Memory, behavior: Object | None, current: int, wanted: int, now: Instant
) -> Said:
    """What recent recommendations make of `wanted`, which is remembered with them."""
    up = down = WINDOW_SECONDS
    if behavior is not None:
        up = behavior["scaleUp"].get("stabilizationWindowSeconds") or 0
        asked = behavior["scaleDown"].get("stabilizationWindowSeconds")
        down = WINDOW_SECONDS if asked is None else asked
    past = memory.recommendations
    highest = max([wanted, *(one.pods for one in past if one.at > now - down)])
    lowest = wanted
    if behavior is not None:
        lowest = min([wanted, *(one.pods for one in past if one.at > now - up)])
    memory.recommendations = [one for one in past if one.at >= now - max(up, down)]
    memory.recommendations.append(Moment(wanted, now))
    if behavior is None:
        return Said(highest, "ScaleDownStabilized", _DOWN)
    found = min(max(current, lowest), highest)
    if wanted >= current:
        return Said(found, "ScaleUpStabilized", _UP)
    return Said(found, "ScaleDownStabilized", _DOWN)


def limited(
    memory: Memory, behavior: Object | None, bounds: Bounds, wanted: int, now: Instant
) -> Said:
    """How many pods there may be next."""
    if behavior is None:
        rate = int(max(_FASTEST_FACTOR * bounds.current, _FASTEST_LEAST))
        return _at_most(bounds, wanted, rate) or _at_least(bounds, wanted, 0) or _within(wanted)
    found = None
    if wanted > bounds.current:
        rate = max(bounds.current, _rate(memory, behavior["scaleUp"], bounds.current, now, +1))
        found = _at_most(bounds, wanted, rate)
    elif wanted < bounds.current:
        rate = min(bounds.current, _rate(memory, behavior["scaleDown"], bounds.current, now, -1))
        found = _at_least(bounds, wanted, rate)
    return found or _within(wanted)


def _within(wanted: int) -> Said:
    return Said(wanted, "DesiredWithinRange", "the desired count is within the acceptable range")


def _at_most(bounds: Bounds, wanted: int, rate: int) -> Said | None:
    if wanted <= min(bounds.most, rate):
        return None
    if bounds.most > rate:
        return Said(rate, "ScaleUpLimit", _TOO_FAST.format("increasing"))
    words = "the desired replica count is more than the maximum replica count"
    return Said(bounds.most, "TooManyReplicas", words)


def _at_least(bounds: Bounds, wanted: int, rate: int) -> Said | None:
    if wanted >= max(bounds.least, rate):
        return None
    if bounds.least < rate:
        return Said(rate, "ScaleDownLimit", _TOO_FAST.format("decreasing"))
    words = "the desired replica count is less than the minimum replica count"
    return Said(bounds.least, "TooFewReplicas", words)


def _rate(memory: Memory, rules: Object, current: int, now: Instant, sign: int) -> int:
    """To how many pods the policies let it go in this direction."""
    select = rules.get("selectPolicy", "Max")
    if select == "Disabled":
        return current
    proposed: list[int] = []
    for policy in rules["policies"]:
        since = now - policy["periodSeconds"]
        began = current - _changed(memory.ups, since) + _changed(memory.downs, since)
        if policy["type"] == "Pods":
            proposed.append(began + sign * policy["value"])
        elif sign > 0:
            # Rounded up: a share of few pods must still be a pod.
            proposed.append(math.ceil(began * (1 + policy["value"] / 100)))
        else:
            proposed.append(int(began * (1 - policy["value"] / 100)))
    # The largest change goes up for growing and down for shrinking.
    return max(proposed) if (select == "Max") == (sign > 0) else min(proposed)


def _changed(moments: Sequence[Moment], since: float) -> int:
    return sum(one.pods for one in moments if one.at > since)
