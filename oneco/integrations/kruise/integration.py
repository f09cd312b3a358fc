"""What OpenKruise brings to a company, and what it needs of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from oneco.integrations.kruise.cloneset import CloneSetWorkload
from oneco.integrations.kruise.daemonset import DaemonSetWorkload
from oneco.integrations.kruise.gates import GROUP
from oneco.integrations.kruise.statefulset import StatefulSetWorkload
from oneco.integrations.kruise.stepped import STEPPED, Stepped
from oneco.kube.refs import Kind

NAME: Final = "kruise"
PROVIDES: Final = ("workloads",)
NEEDS: Final = (GROUP,)
"""API groups that a member has to serve; where it does not, its works say so by name."""

_DRIVERS: Mapping[str, CloneSetWorkload | StatefulSetWorkload | DaemonSetWorkload] = {
    "CloneSet": CloneSetWorkload(),
    "StatefulSet": StatefulSetWorkload(),
    "DaemonSet": DaemonSetWorkload(),
}
# Which of the two a cluster serves depends on its OpenKruise: its agent finds out.
WORKLOADS: Mapping[Kind, CloneSetWorkload | StatefulSetWorkload | DaemonSetWorkload] = {
    Kind(GROUP, version, kind): driver
    for version in ("v1beta1", "v1alpha1")
    for kind, driver in _DRIVERS.items()
}
STEPS: Mapping[Kind, Stepped] = {
    Kind(GROUP, version, kind): driver
    for version in ("v1beta1", "v1alpha1")
    for kind, driver in STEPPED.items()
}
