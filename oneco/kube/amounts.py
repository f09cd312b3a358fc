"""Amounts of pods as workloads and their strategies write them: a number, or a share."""

from __future__ import annotations

from oneco.kube import objects
from oneco.kube.objects import Object


def pods(amount: int | str, whole: int, *, is_up: bool) -> int:
    """How many of `whole` pods `amount` is; what nobody can read is none."""
    text = str(amount).strip()
    digits = text.removesuffix("%")
    if not digits.isdecimal():
        return 0
    if digits == text:
        return int(digits)
    # Whole numbers, because 0.07 * 100 is not 7.
    share = int(digits) * whole
    return -(-share // 100) if is_up else share // 100


def share(updated: int, of: int, replicas: int) -> int:
    """What `updated` of so many pods means at another size, for hub and agent alike.

    Never more pods than it was, and of fewer pods never a larger share, but for the first of them.
    """
    if replicas >= of or not updated:
        return updated
    # Rounded down: whoever said `updated` has rounded up already.
    return min(replicas, max(1, updated * replicas // of))


def replicas(manifest: Object) -> int | None:
    """How many pods a workload asks for; None where it leaves that to its cluster."""
    said = objects.dig(manifest, "spec", "replicas")
    count = objects.number(manifest, "spec", "replicas", default=-1)
    # What is no number is for its cluster to refuse.
    return None if said is None or count < 0 else count
