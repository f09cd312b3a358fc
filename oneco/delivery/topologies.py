"""Topology policies: the clusters and the namespace that components go to."""

from __future__ import annotations

from collections.abc import Mapping

from oneco.delivery.ports import Parameters


class TopologyParameters(Parameters, frozen=True, kw_only=True):
    """Clusters by name or by labels; neither means every cluster.

    `clusterSelector` is the older name of `clusterLabelSelector`. An empty namespace is the
    Application's own.
    """

    clusters: tuple[str, ...] | None = None
    cluster_label_selector: dict[str, str] | None = None
    cluster_selector: dict[str, str] | None = None
    allow_empty: bool = False
    namespace: str = ""

    @property
    def selector(self) -> Mapping[str, str] | None:
        """The labels that choose, None where names choose or nothing does."""
        if self.clusters is not None:
            return None
        if self.cluster_label_selector is not None:
            return self.cluster_label_selector
        return self.cluster_selector

    def chooses(self, labels: Mapping[str, str]) -> bool:
        """Whether a cluster with these labels is chosen, where labels choose."""
        return all(labels.get(key) == value for key, value in (self.selector or {}).items())
