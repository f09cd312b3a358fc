"""One Kubernetes API server in this process, from its directory to its port."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import hashlib
import logging
import ssl
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from oneco.clock import Clock
from oneco.errors import Unavailable
from oneco.kube.api import Api, WriteOptions
from oneco.kube.errors import Conflict, NotFound
from oneco.kube.objects import Object, name
from oneco.kube.refs import Address, Resource
from oneco.worlds.apiserver.admission import Admission, Completion
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.apiserver.store import Change
from oneco.worlds.embedded import policy, signing
from oneco.worlds.embedded.account_secrets import AccountSecrets
from oneco.worlds.embedded.accounts import Accounts
from oneco.worlds.embedded.admittance import Admittance
from oneco.worlds.embedded.application import Application
from oneco.worlds.embedded.authority import Authority, Credential
from oneco.worlds.embedded.documents import Documents
from oneco.worlds.embedded.inprocess import InProcessApi
from oneco.worlds.embedded.kubeconfig import kubeconfig, write_kubeconfig
from oneco.worlds.embedded.private_files import write_private
from oneco.worlds.embedded.resources import Resources
from oneco.worlds.embedded.rights import RoleRights
from oneco.worlds.embedded.sqlite import SqliteStore
from oneco.worlds.embedded.tokens import Tokens
from oneco.worlds.embedded.transport import HttpsPort, check_is_loopback, server_context

DATABASE = "objects.db"
_REQUESTS = Resource("certificates.k8s.io", "v1", "certificatesigningrequests")
_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one server may be given besides its directory and clock."""

    name: str = "oneco"
    """How its kubeconfig calls it."""
    admission: Sequence[Admission] = ()
    completions: Sequence[Completion] = ()
    history: int = 10_000
    client_seconds: float = 365 * 86_400.0
    """How long the certificates are good that it signs for others."""
    certified_at: Callable[[], float] = time.time
    """The clock by which certificates live: the real one, whatever clock the cluster has."""


class EmbeddedServer:
    """An API server over one directory: `objects.db`, `pki/`, `port`, `kubeconfig`.

    `server`, `store` and `api` are there before `start`, so that behaviours can be attached first;
    `url` and `kubeconfig_path` hold after it. Made within the event loop that it will run in.
    """

    def __init__(
        self,
        directory: Path,
        clock: Clock,
        settings: Settings = Settings(),
    ) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory, self.name = directory, settings.name
        call_soon = asyncio.get_running_loop().call_soon_threadsafe
        self.store = SqliteStore(
            directory / DATABASE, call_soon=call_soon, history=settings.history
        )
        try:
            self.authority = Authority(
                directory / "pki", client_seconds=settings.client_seconds, now=settings.certified_at
            )
        except BaseException:
            self.store.close()
            raise
        # Uids are derived from the seed: two servers must not give the same ones.
        digest = hashlib.sha256(self.authority.certificate_pem).digest()
        accounts = Accounts(self.store, directory / "pki" / "accounts.key")
        self.rights = RoleRights(self.store, Tokens(self.store, accounts))
        self.server = ApiServer(
            self.store,
            clock,
            admission=settings.admission,
            completions=settings.completions,
            seed=int.from_bytes(digest[:6], "big"),
            rights=self.rights,
            lazy_managers=False,
        )
        policy.keep(self.store, self.server.inside)
        self._admittance = Admittance(self.store)
        self.api: Api = InProcessApi(self.server, self.store)
        self.url = ""
        self._resources = Resources(self.server, self.store, clock, self.rights)
        self._port: HttpsPort | None = None
        self.store.on_durable(self._sign)
        self._account_secrets = AccountSecrets(
            self.server, self.store, accounts, lambda: self.authority.certificate_pem
        )
        self.store.on_durable(self._account_secrets.follow)

    @property
    def kubeconfig_path(self) -> Path:
        """The kubeconfig of the person whose server this is."""
        return self.directory / "kubeconfig"

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Serve; port 0 takes the one of the last start, or any that is free."""
        check_is_loopback(host)
        context = self._tls()
        documents = Documents(self.server)
        self._port = HttpsPort(Application(self._resources, documents, self.rights), context)
        await self._open(self._port, host, port)
        self._admittance.on_denied(functools.partial(self._port.drop, self._admittance.lets_in))
        shown, number = self._port.address
        self.url = f"https://[{shown}]:{number}" if ":" in shown else f"https://{shown}:{number}"
        write_private(self.directory / "port", str(number).encode())
        self._write_kubeconfig()
        for request in self.store.scan(signing.COLLECTION):
            self._sign_one(request)
        self._account_secrets.settle_all()

    @property
    def renews_at(self) -> float:
        """When the next certificate is due: a quarter of the shortest life is left then."""
        return self.authority.renews_at

    async def renew(self) -> None:
        """Show a new certificate to whoever connects from now on, and write the kubeconfig anew."""
        if self._port is not None:
            await self._port.use(self._tls())
            self._write_kubeconfig()

    async def begin_change(self, name: str) -> None:
        """Trust a new authority besides the present one, and sign with it what clients ask for."""
        self.authority.begin_change(name)
        await self.renew()

    async def finish_change(self) -> None:
        """Trust the new authority alone; whoever is connected has to connect again."""
        self.authority.finish_change()
        await self.renew()
        if self._port is not None:
            self._port.drop(lambda _: False)

    def clusters_of_the_newest(self) -> frozenset[str]:
        """The clusters whose agents came last with a certificate of the newest authority."""
        newest = self.authority.newest_name
        met = self._admittance.met
        return frozenset(cluster for cluster, issuer in met.items() if issuer == newest)

    async def stop(self) -> None:
        """End watches, let running requests end, and leave everything durable."""
        self._resources.end_watches()
        if self._port is not None:
            await self._port.close()
        self.store.close()

    def kubeconfig(self, *, credential: Credential | None = None, token: str = "") -> str:
        """A kubeconfig for whoever holds `credential` or `token`."""
        return kubeconfig(
            name=self.name,
            url=self.url,
            authority=self.authority.certificate_pem,
            credential=credential,
            token=token,
        )

    def _tls(self) -> ssl.SSLContext:
        certificate, key = self.authority.server_files()
        trusted = self.authority.directory / "ca.crt"
        return server_context(trusted, certificate, key, self._admittance.greet)

    def _write_kubeconfig(self) -> None:
        administrator = self.authority.administrator()
        write_kubeconfig(self.kubeconfig_path, self.kubeconfig(credential=administrator))

    async def _open(self, opened: HttpsPort, host: str, port: int) -> None:
        last = self.directory / "port"
        # Agents know the address of the last start: keep it while nobody else took it.
        if port == 0 and last.exists() and last.read_text().strip().isdigit():
            try:
                return await opened.open(host, int(last.read_text()))
            except Unavailable:
                _log.info("the port of the last start is taken: listening on another")
        return await opened.open(host, port)

    def _sign(self, change: Change) -> None:
        if change.key.collection == signing.COLLECTION and change.after is not None:
            self._sign_one(change.after)

    def _sign_one(self, request: Object) -> None:
        if not signing.is_waiting(request):
            return
        address = Address(_REQUESTS, "", name(request), "status")
        signed = signing.signed(request, self.authority)
        try:
            self.server.replace(address, signed, WriteOptions(manager="oneco-signer"))
        except (Conflict, NotFound):
            # It changed meanwhile; that change brings it here again.
            return
