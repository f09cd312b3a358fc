"""What Kubernetes itself brings to a company: nothing has to be installed for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from oneco.integrations.kubernetes.daemonset import DaemonSetWorkload
from oneco.integrations.kubernetes.deployment import DeploymentWorkload
from oneco.integrations.kubernetes.statefulset import StatefulSetWorkload
from oneco.integrations.kubernetes.stepped import (
    SteppedDaemonSet,
    SteppedDeployment,
    SteppedStatefulSet,
)
from oneco.kube.refs import Kind

NAME: Final = "kubernetes"
PROVIDES: Final = ("workloads",)
NEEDS: Final = ("apps",)
"""API groups that a member has to serve."""

WORKLOADS: Mapping[Kind, DeploymentWorkload | StatefulSetWorkload | DaemonSetWorkload] = {
    Kind("apps", "v1", "Deployment"): DeploymentWorkload(),
    Kind("apps", "v1", "StatefulSet"): StatefulSetWorkload(),
    Kind("apps", "v1", "DaemonSet"): DaemonSetWorkload(),
}
STEPS: Mapping[Kind, SteppedDeployment | SteppedStatefulSet | SteppedDaemonSet] = {
    Kind("apps", "v1", "Deployment"): SteppedDeployment(),
    Kind("apps", "v1", "StatefulSet"): SteppedStatefulSet(),
    Kind("apps", "v1", "DaemonSet"): SteppedDaemonSet(),
}
