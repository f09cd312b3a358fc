"""Open Cluster Management's own agents beside a member: registration and work, a process each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.real.processes import Program, free_ports

NAMESPACE = "open-cluster-management-agent"
STATUS_SECONDS = 1
"""How often the work agent looks at what it was asked to tell; by itself every 10 to 19 s."""


class Klusterlet:
    """Both agents of one cluster; the registration agent fetches the credential of both."""

    def __init__(
        self, folder: Path, programs: Mapping[str, Path], cluster: str, member: Path
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.bootstrap, self.credential = folder / "bootstrap", folder / "hub-kubeconfig"
        own, others = free_ports(2)
        common = (
            f"--spoke-cluster-name={cluster}",
            f"--agent-id={cluster}-agent",
            f"--kubeconfig={member}",
            f"--spoke-kubeconfig={member}",
            f"--namespace={NAMESPACE}",
            "--disable-leader-election",
        )
        self.registration = Program(
            "ocm-registration",
            [
                programs["ocm-registration"],
                "agent",
                *common,
                f"--listen=127.0.0.1:{own}",
                f"--bootstrap-kubeconfig={self.bootstrap}",
                f"--hub-kubeconfig-dir={self.credential}",
            ],
            folder / "registration.log",
        )
        self.work = Program(
            "ocm-work",
            [
                # As newer ones do by themselves: lists come as a watch that begins with them.
                "env",
                "KUBE_FEATURE_WatchListClient=true",
                programs["ocm-work"],
                "agent",
                *common,
                f"--listen=127.0.0.1:{others}",
                f"--hub-kubeconfig={self.credential / 'kubeconfig'}",
                f"--workload-source-config={self.credential / 'kubeconfig'}",
                f"--status-sync-interval={STATUS_SECONDS}s",
            ],
            folder / "work.log",
        )

    def end(self) -> None:
        """End both."""
        self.work.end()
        self.registration.end()

    def words(self) -> str:
        """What both said last."""
        programs = (self.registration, self.work)
        return "\n".join(one.last_words() for one in programs if one.log.exists())
