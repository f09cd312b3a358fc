"""Policies: where an Application goes, what differs there, and how a change spreads.

They only carry parameters; delivery knows what each of them means.
"""

from __future__ import annotations

from oneco.delivery.overrides import OverrideParameters
from oneco.delivery.ports import Definition
from oneco.delivery.topologies import TopologyParameters
from oneco.kinds.release import PolicySpec

TOPOLOGY = Definition(
    name="topology",
    family="policy",
    description="Which clusters and which namespace the components go to.",
    parameters=TopologyParameters,
)
OVERRIDE = Definition(
    name="override",
    family="policy",
    description="What differs from the components as they are written.",
    parameters=OverrideParameters,
)
RELEASE = Definition(
    name="release",
    family="policy",
    description="How a change spreads: waves, batches, silence, checks.",
    parameters=PolicySpec,
)
