"""The drivers of all workload kinds, as hub and agents know them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from oneco.agent.ports import Workload as AgentWorkload
from oneco.integrations.kruise import integration as kruise
from oneco.integrations.kubernetes import integration as kubernetes
from oneco.kube.refs import Kind
from oneco.release.ports import Stepped
from oneco.release.ports import Workload as ReleaseWorkload


class Workload(AgentWorkload, ReleaseWorkload, Protocol):
    """A driver as both sides know it."""


WORKLOADS: Mapping[Kind, Workload] = {**kubernetes.WORKLOADS, **kruise.WORKLOADS}
STEPS: Mapping[Kind, Stepped] = {**kubernetes.STEPS, **kruise.STEPS}
