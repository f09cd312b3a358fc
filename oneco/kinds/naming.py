"""The names that link our objects to each other: short, stable, legal everywhere."""

from __future__ import annotations

import hashlib


def digest(*parts: str, length: int = 10) -> str:
    """A short hash of `parts`, legal in names and labels."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:length]


_KUBERNETES_OWN = frozenset({"", "apps", "batch"})
_IN_TWO_GROUPS = frozenset({"DaemonSet", "Job", "StatefulSet"})


def kind_label(api_version: str, kind: str) -> str:
    """The kind as people read it: with its group where Kubernetes has one of the same name."""
    group = api_version.rpartition("/")[0]
    is_plain = group in _KUBERNETES_OWN or kind not in _IN_TWO_GROUPS
    return kind if is_plain else f"{kind}.{group}"


def unit_name(namespace: str, application: str, unit: str) -> str:
    """The name of the unit, the work and the observation of one application in one unit."""
    return f"{application[:40]}-{digest(namespace, application, unit)}"


def release_key(namespace: str, release: str) -> str:
    """The label value that all units of one release carry."""
    return digest(namespace, release, length=20)


def wave_key(namespace: str, release: str, wave: int) -> str:
    """The label value that all units of one wave carry."""
    return f"{release_key(namespace, release)}-{wave}"
