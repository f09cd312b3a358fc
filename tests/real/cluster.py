"""A real cluster on loopback: etcd, kube-apiserver, controllers; if wanted nodes and OpenKruise.

Nothing is shared between clusters. All but the webhooks of OpenKruise listen on 127.0.0.1 only.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from oneco.kube.api import Api
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from oneco.worlds.cluster.client import connect
from oneco.worlds.embedded.authority import Authority
from oneco.worlds.embedded.kubeconfig import kubeconfig, write_kubeconfig
from tests.real.kruise import Kruise
from tests.real.processes import Program, free_ports, until

STAGES = Path(__file__).with_name("stages.yaml")
NODES = Resource("", "v1", "nodes")
ACCOUNTS = Resource("", "v1", "serviceaccounts")
LIVING: list[RealCluster] = []
"""The clusters that run now: when a test fails, their logs are shown."""

_READY_SECONDS = 60.0
_ROOM = {"cpu": "64", "memory": "256Gi", "pods": "500"}


class RealCluster:
    """One control plane. `kubeconfig` is that of an administrator with a client certificate.

    Only a durable one syncs its writes to the disk.
    """

    def __init__(
        self,
        folder: Path,
        programs: Mapping[str, Path],
        *,
        nodes: int = 0,
        kruise: bool = False,
        is_durable: bool = False,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._is_durable = is_durable
        self.folder, self._programs, self._nodes = folder, programs, nodes
        self.kubeconfig = folder / "kubeconfig"
        self._etcd_port, self._peer_port, self.port, kwok_port = free_ports(4)
        self._authority = Authority(folder / "authority")
        self._write_credentials()
        self.etcd = self._etcd()
        self.server = self._server()
        self.followers = [self._controllers()]
        if nodes:
            self.followers += [self._scheduler(), self._kwok(kwok_port)]
        self.kruise: Kruise | None = None
        if kruise:
            self.kruise = Kruise(folder, self.kubeconfig, programs["kruise-manager"])

    def start(self) -> None:
        """Start the API server and its store; `wait` starts the rest when they are ready."""
        self.etcd.start()
        self.server.start()

    def wait(self) -> None:
        """Return when the API serves, the controllers work and the nodes are there."""
        self.wait_for_server()
        for program in self.followers:
            program.start()
        asyncio.run(self._settle(self._nodes))
        if self.kruise is not None:
            self._start_kruise(self.kruise)

    def wait_for_server(self) -> None:
        """Return when the API serves; nothing else is started."""
        until(self.is_ready, self.server.last_words, _READY_SECONDS)

    def is_ready(self) -> bool:
        """Whether the API server says that it is; fails if it is gone."""
        self.etcd.check()
        self.server.check()
        trust = ssl.create_default_context(cadata=self._authority.certificate_pem.decode())
        line = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=2, context=trust)
        try:
            line.request("GET", "/readyz")
            return line.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            line.close()

    def end(self) -> None:
        """End every process of the cluster."""
        for program in (*reversed(self.followers), self.server, self.etcd):
            program.end()

    def need_nodes(self, count: int) -> None:
        """Return when there are at least so many nodes that pods run on."""
        assert self._nodes, "a cluster that was made without nodes has no scheduler"
        asyncio.run(self._settle(count))

    def logs(self) -> Iterator[Path]:
        """What each process wrote."""
        yield from (one.log for one in (self.etcd, self.server, *self.followers))

    def _start_kruise(self, kruise: Kruise) -> None:
        asyncio.run(self._ask(kruise.install))
        self.followers.append(kruise.manager)
        kruise.manager.start()
        asyncio.run(self._ask(kruise.settle))

    async def _ask(self, action: Callable[[Api], Awaitable[None]]) -> None:
        async with connect(str(self.kubeconfig)) as api:
            await action(api)

    async def _settle(self, nodes: int) -> None:
        async with connect(str(self.kubeconfig)) as api:
            for number in range(len((await api.list(Address(NODES))).items), nodes):
                await api.create(Address(NODES), _node(f"node-{number}"))
            async with asyncio.timeout(_READY_SECONDS):
                while not await self._is_settled(api):
                    for program in self.followers:
                        program.check()
                    await asyncio.sleep(0.05)

    async def _is_settled(self, api: Api) -> bool:
        # The first thing that controllers do for somebody who has done nothing yet.
        accounts = await api.list(Address(ACCOUNTS, "default"))
        nodes = await api.list(Address(NODES))
        return bool(accounts.items) and all(map(_is_ready, nodes.items))

    def _write_credentials(self) -> None:
        text = kubeconfig(
            name="real",
            url=f"https://127.0.0.1:{self.port}",
            authority=self._authority.certificate_pem,
            credential=self._authority.client("admin", ("system:masters",)),
        )
        write_kubeconfig(self.kubeconfig, text)
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        (self.folder / "accounts.key").write_bytes(private)
        (self.folder / "accounts.pub").write_bytes(public)

    def _program(self, name: str, *options: str) -> Program:
        words: list[str | Path] = [self._programs[name], *options]
        return Program(name, words, self.folder / f"{name}.log")

    def _etcd(self) -> Program:
        own, peers = f"http://127.0.0.1:{self._etcd_port}", f"http://127.0.0.1:{self._peer_port}"
        return self._program(
            "etcd",
            f"--data-dir={self.folder / 'etcd'}",
            *([] if self._is_durable else ["--unsafe-no-fsync"]),
            f"--listen-client-urls={own}",
            f"--advertise-client-urls={own}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
        )

    def _server(self) -> Program:
        certificate, key = self._authority.server_files()
        return self._program(
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            f"--client-ca-file={self._authority.directory / 'ca.crt'}",
            f"--cert-dir={self.folder / 'certificates'}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self.folder / 'accounts.pub'}",
            f"--service-account-signing-key-file={self.folder / 'accounts.key'}",
            "--service-cluster-ip-range=10.0.0.0/16",
            "--allow-privileged=true",
            "--enable-bootstrap-token-auth=true",
            "--disable-admission-plugins=ServiceAccount",
        )

    def _controllers(self) -> Program:
        authority = self._authority.directory
        return self._program(
            "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig}",
            "--leader-elect=false",
            "--secure-port=0",
            "--controllers=*,-nodeipam",
            f"--service-account-private-key-file={self.folder / 'accounts.key'}",
            f"--root-ca-file={authority / 'ca.crt'}",
            f"--cluster-signing-cert-file={authority / 'ca.crt'}",
            f"--cluster-signing-key-file={authority / 'ca.key'}",
            "--kube-api-qps=300",
            "--kube-api-burst=600",
        )

    def _scheduler(self) -> Program:
        common = (f"--kubeconfig={self.kubeconfig}", "--leader-elect=false", "--secure-port=0")
        return self._program("kube-scheduler", *common, "--kube-api-qps=300")

    def _kwok(self, port: int) -> Program:
        return self._program(
            "kwok",
            f"--kubeconfig={self.kubeconfig}",
            f"--config={STAGES}",
            "--manage-all-nodes=true",
            "--cidr=10.244.0.0/16",
            "--node-ip=127.0.0.1",
            f"--node-port={port}",
            "--node-lease-duration-seconds=40",
        )


@contextlib.contextmanager
def running(*clusters: RealCluster) -> Iterator[Sequence[RealCluster]]:
    """The clusters, started side by side and ready; no process is left when the context ends."""
    try:
        LIVING.extend(clusters)
        for one in clusters:
            one.start()
        for one in clusters:
            one.wait()
        yield clusters
    finally:
        for one in clusters:
            one.end()
            LIVING.remove(one)


def _node(name: str) -> Object:
    labels = {"kubernetes.io/hostname": name, "type": "kwok"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {"allocatable": _ROOM, "capacity": _ROOM},
    }


def _is_ready(node: Object) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
