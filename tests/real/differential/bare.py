"""A real API server of its own to compare with: nothing writes but the one who asks.

Of the controllers only those run that delete: garbage collection and emptying namespaces. All
others would change objects between two steps of a case, and the server in memory has none.
"""

from __future__ import annotations

from pathlib import Path

from oneco.kube.api import Api
from tests.real.cluster import RealCluster
from tests.real.processes import Program

_DELETING = "garbage-collector-controller,namespace-controller"


class BareCluster(RealCluster):
    """etcd, kube-apiserver, and the controllers that delete."""

    async def _is_settled(self, api: Api) -> bool:
        return bool(await api.discover())

    def _controllers(self) -> Program:
        authority: Path = self._authority.directory
        return self._program(
            "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig}",
            "--leader-elect=false",
            "--secure-port=0",
            f"--controllers={_DELETING}",
            f"--root-ca-file={authority / 'ca.crt'}",
            "--concurrent-gc-syncs=40",
            "--kube-api-qps=600",
            "--kube-api-burst=1200",
        )
