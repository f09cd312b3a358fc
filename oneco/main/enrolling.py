"""An agent's way to its certificate: the first by an invitation, each later one by the last."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from oneco.clock import Clock, Instant
from oneco.errors import OnecoError, Refused, Unavailable
from oneco.fleet.joining import AGENT_PREFIX, AGENTS_GROUP, REQUESTS, SIGNER
from oneco.fleet.ports import Subject
from oneco.integrations.x509 import requests
from oneco.kinds import ocm
from oneco.kube import objects
from oneco.kube.api import Api
from oneco.kube.errors import AlreadyExists, Forbidden, NotFound, Unauthorized
from oneco.kube.objects import Object
from oneco.kube.refs import Address
from oneco.main import authorities, joining, plain_hub
from oneco.main.telling import Say
from oneco.worlds.cluster import kubeconfig
from oneco.worlds.cluster.client import ClusterApi
from oneco.worlds.embedded.private_files import write_private

if TYPE_CHECKING:
    from oneco.worlds.cluster.target import Target

_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS = 1.0, 30.0
_LOOK_SECONDS, _PATIENCE_SECONDS = 0.5, 5.0
_LONGEST_SLEEP_SECONDS = 3600.0
# A laptop's sleep stops the clock that waits, too: look at the real one now and then.
_AUTHORITY_SECONDS = 300.0
_USAGES = ("digital signature", "key encipherment", "client auth")
_NEW_INVITATION = "a new invitation: `oneco clusters join NAME` on the hub writes one, for --join"


class _Begun(msgspec.Struct, frozen=True):
    """A join under way, kept so that one that is cut off goes on with the same request."""

    cluster: str
    server: str
    agent: str
    key: str


@dataclasses.dataclass(frozen=True, slots=True)
class Wallet:
    """The files of an agent that prove to the hub who it is."""

    directory: Path

    @property
    def kubeconfig(self) -> Path:
        """How the agent reaches the hub; it names `certificate` beside it."""
        return self.directory / "hub.kubeconfig"

    @property
    def certificate(self) -> Path:
        """Certificate and key in one file, so that they can only change together."""
        return self.directory / "hub.pem"

    @property
    def authority(self) -> Path:
        """Whom the agent believes that it is the hub; the kubeconfig names it."""
        return self.directory / "hub-ca.crt"

    @property
    def invited(self) -> Path:
        """Whom the invitation said to believe, by which it is known again."""
        return self.directory / "invited-ca.crt"

    @property
    def begun(self) -> Path:
        """The join that is under way, if one is."""
        return self.directory / "joining.json"

    def read(self) -> requests.Certificate:
        """What the present certificate says."""
        try:
            return requests.read(self.certificate.read_bytes())
        except (OSError, ValueError) as failure:
            found = "nothing that can be read"
            raise Refused(str(self.certificate), found=found, wanted=_NEW_INVITATION) from failure


async def enrol(
    wallet: Wallet, invitation: Path | None, clock: Clock, say: Say, *, name: str = ""
) -> str:
    """The cluster whose certificate is in the wallet, fetched with the invitation if need be.

    An invitation that the wallet has no use for, as at a later start, is left alone. One that
    names no cluster, as the bootstrap kubeconfig of Open Cluster Management, is for `name`.
    """
    if invitation is not None:
        target = _for(kubeconfig.load(str(invitation)), name, invitation)
        if not _is_settled(wallet, target, clock):
            await _join(wallet, target, clock, say)
    if not wallet.kubeconfig.exists():
        wanted = "--join FILE with an invitation: `oneco clusters join NAME` on the hub writes one"
        raise Refused(str(wallet.directory), found="no hub.kubeconfig", wanted=wanted)
    if wallet.read().ends <= clock.now():
        found = "a certificate that has ended"
        raise Refused(str(wallet.certificate), found=found, wanted=_NEW_INVITATION)
    authorities.settle(wallet)
    return kubeconfig.load(str(wallet.kubeconfig)).namespace


def _for(target: Target, name: str, invitation: Path) -> Target:
    """The invitation as one of the cluster `name`, where it is not bound to another."""
    if name and target.namespace in ("", "default"):
        return dataclasses.replace(target, namespace=name)
    if target.namespace:
        return target
    wanted = "the cluster's name as the context's namespace, as an invitation has it, or --name"
    raise Refused(str(invitation), wanted=wanted)


async def keep(
    wallet: Wallet, hub: Api, clock: Clock, say: Say, *, look_seconds: float = _AUTHORITY_SECONDS
) -> None:
    """Renew the certificate whenever a fifth to a quarter of its life is left.

    Whom the hub is believed by is asked every `look_seconds`: a new authority is trusted, and the
    certificate renewed at once, so that it is one of the new.
    """
    due = wallet.read().renews_at()
    while True:
        while (now := clock.now()) < due:
            await clock.sleep_until(Instant(min(due, now + look_seconds)))
            if await authorities.follow(wallet, hub, say):
                break
        await renew(wallet, hub, clock, say)
        made, now = wallet.read(), clock.now()
        # One that is due as soon as it is there must not be asked for again at once, for ever.
        due = max(made.renews_at(), Instant(now + (made.ends - now) / 2))


async def renew(wallet: Wallet, hub: Api, clock: Clock, say: Say) -> None:
    """Put a new certificate for a new key in the place of the present one."""
    subject = wallet.read().subject
    cluster = subject.common_name.removeprefix(AGENT_PREFIX).partition(":")[0]
    key = requests.new_key()
    asking = _Asking(hub, cluster, key, subject)
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            certificate = await asking.certificate(clock, say)
            break
        except OnecoError as failure:
            # The present certificate still serves: nothing is lost by asking again.
            say(f"the certificate could not be renewed: {failure}; asking again")
        await clock.sleep_until(Instant(clock.now() + pause))
        pause = min(pause * 2, _LONGEST_SLEEP_SECONDS)
    write_private(wallet.certificate, certificate + key)


def _is_settled(wallet: Wallet, target: Target, clock: Clock) -> bool:
    if not (wallet.kubeconfig.exists() and wallet.certificate.exists()):
        return False
    present = kubeconfig.load(str(wallet.kubeconfig))
    is_same = (present.cluster.server, present.namespace) == (
        target.cluster.server,
        target.namespace,
    )
    # An invitation that was used tells of the authority of then, which may have been followed.
    known = authorities.known(wallet, present)
    return is_same and authorities.pem(target) in known and clock.now() < wallet.read().ends


async def _join(wallet: Wallet, target: Target, clock: Clock, say: Say) -> None:
    cluster = target.namespace
    joining.check_name(cluster)
    begun = _begin(wallet, target)
    groups = frozenset({AGENT_PREFIX + cluster, AGENTS_GROUP})
    subject = Subject(f"{AGENT_PREFIX}{cluster}:{begun.agent}", groups)
    async with ClusterApi(target) as hub:
        await _announce(hub, cluster)
        asking = _Asking(hub, cluster, begun.key.encode(), subject)
        certificate = await _persist(asking, clock, say)
    write_private(wallet.certificate, certificate + begun.key.encode())
    user = {"client-certificate": wallet.certificate.name, "client-key": wallet.certificate.name}
    text = joining.kubeconfig_text(target.cluster, cluster, user)
    write_private(wallet.invited, authorities.pem(target))
    write_private(wallet.authority, authorities.pem(target))
    write_private(wallet.kubeconfig, authorities.beside(text, wallet).encode())
    wallet.begun.unlink()
    say(f"joined as cluster {cluster}")


async def _announce(hub: Api, cluster: str) -> None:
    """Register the cluster where nobody did: an invitation of ours has done so."""
    with contextlib.suppress(Unavailable, Unauthorized):
        # What keeps it from being asked now keeps the certificate too, which is asked for longer.
        await plain_hub.register(hub, cluster)


def _begin(wallet: Wallet, target: Target) -> _Begun:
    """The join as it was begun, or a new one; it is on disk before the hub hears of it."""
    if wallet.begun.exists():
        try:
            begun = msgspec.json.decode(wallet.begun.read_bytes(), type=_Begun)
        except msgspec.DecodeError:
            wanted = "it removed: the join then begins anew"
            raise Refused(str(wallet.begun), found="a damaged file", wanted=wanted) from None
        if (begun.cluster, begun.server) == (target.namespace, target.cluster.server):
            return begun
    begun = _Begun(
        cluster=target.namespace,
        server=target.cluster.server,
        agent=secrets.token_hex(4),
        key=requests.new_key().decode(),
    )
    write_private(wallet.begun, msgspec.json.encode(begun))
    return begun


async def _persist(asking: _Asking, clock: Clock, say: Say) -> bytes:
    """The certificate, however long the hub cannot be reached; Refused if it will never come."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return await asking.certificate(clock, say)
        except (Unauthorized, Forbidden) as refusal:
            found = f"one that the hub refuses ({refusal})"
            raise Refused("the invitation", found=found, wanted=_NEW_INVITATION) from refusal
        except Unavailable as outage:
            say(f"the hub cannot be asked for a certificate: {outage}; trying again")
        await clock.sleep_until(Instant(clock.now() + pause))
        pause = min(pause * 2, _LAST_PAUSE_SECONDS)


class _Asking:
    """One certificate request, which asking again does not double."""

    def __init__(self, hub: Api, cluster: str, key: bytes, subject: Subject) -> None:
        self._hub, self._cluster = hub, cluster
        self._key, self._subject = key, subject
        self._name = f"{cluster}-{requests.fingerprint(key)}"

    async def certificate(self, clock: Clock, say: Say) -> bytes:
        """The certificate, once the hub has signed it; Refused if the hub says no."""
        request, begun = await self._made(), clock.now()
        is_said = False
        while True:
            signed = objects.dig(request, "status", "certificate", default="")
            if signed:
                return self._checked(base64.b64decode(signed))
            self._raise_if_refused(request)
            if not is_said and clock.now() - begun > _PATIENCE_SECONDS:
                is_said = True
                say(f"waits until certificate request {self._name} is approved on the hub")
            await clock.sleep_until(Instant(clock.now() + _LOOK_SECONDS))
            request = await self._hub.get(self._address())

    async def _made(self) -> Object:
        try:
            return await self._hub.get(self._address())
        except NotFound:
            pass
        body: Object = {
            "apiVersion": REQUESTS.api_version,
            "kind": "CertificateSigningRequest",
            "metadata": {"name": self._name, "labels": {ocm.CLUSTER_NAME_LABEL: self._cluster}},
            "spec": {
                "request": base64.b64encode(requests.request(self._key, self._subject)).decode(),
                "signerName": SIGNER,
                "usages": list(_USAGES),
            },
        }
        try:
            return await self._hub.create(Address(REQUESTS), body)
        except AlreadyExists:
            return await self._hub.get(self._address())

    def _raise_if_refused(self, request: Object) -> None:
        for condition in objects.dig(request, "status", "conditions", default=()):
            if condition.get("type") in ("Denied", "Failed"):
                said = f"{condition.get('reason')}: {condition.get('message')}"
                where = f"certificate request {self._name}"
                raise Refused(where, found=said, wanted=_NEW_INVITATION)

    def _checked(self, certificate: bytes) -> bytes:
        if not requests.is_of(certificate, self._key):
            where = f"certificate request {self._name}"
            raise Refused(where, found="a certificate of another key", wanted=_NEW_INVITATION)
        return certificate if certificate.endswith(b"\n") else certificate + b"\n"

    def _address(self) -> Address:
        return Address(REQUESTS, "", self._name)
