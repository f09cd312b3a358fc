"""An agent's way to its certificate: the first by an invitation, each later one by the last."""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from oneco.clock import Clock, Instant
from oneco.errors import OnecoError, Refused, Unavailable
from oneco.fleet.joining import AGENT_PREFIX, AGENTS_GROUP, fetch_token
from oneco.fleet.ports import Subject
from oneco.integrations.x509 import certificates
from oneco.kube.api import Api
from oneco.kube.errors import Unauthorized
from oneco.main import authorities, joining, plain_hub
from oneco.main.telling import Say
from oneco.worlds.cluster import kubeconfig
from oneco.worlds.cluster.client import ClusterApi
from oneco.worlds.embedded.private_files import write_private

if TYPE_CHECKING:
    from oneco.worlds.cluster.target import Target

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_SLEEP_SECONDS = 3600.0
# A laptop's sleep stops the clock that waits, too: look at the real one now and then.
_AUTHORITY_SECONDS = 300.0
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

    def read(self) -> certificates.Certificate:
        """What the present certificate says."""
        try:
            return certificates.read(self.certificate.read_bytes())
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
    if name and name != target.namespace:
        # Before it is asked with: an invitation serves once.
        wanted = f"{target.namespace}, for which {invitation} is, or an invitation for {name}"
        raise Refused("--name", found=name, wanted=wanted)
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
    from oneco.main import asking

    subject = wallet.read().subject
    cluster = subject.common_name.removeprefix(AGENT_PREFIX).partition(":")[0]
    key = asking.new_key()
    request = asking.Asking(hub, cluster, key, subject)
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            certificate = await request.certificate(clock, say)
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
    from oneco.main import asking

    cluster = target.namespace
    joining.check_name(cluster)
    begun = _begin(wallet, target, asking.new_key)
    groups = frozenset({AGENT_PREFIX + cluster, AGENTS_GROUP})
    subject = Subject(f"{AGENT_PREFIX}{cluster}:{begun.agent}", groups)
    async with ClusterApi(target) as hub, ClusterApi(_fetching(target)) as fetch:
        await _announce(hub, cluster)
        request = asking.Asking(hub, cluster, begun.key.encode(), subject, fetch=fetch)
        certificate = await asking.persist(request, clock, say)
    write_private(wallet.certificate, certificate + begun.key.encode())
    user = {"client-certificate": wallet.certificate.name, "client-key": wallet.certificate.name}
    text = joining.kubeconfig_text(target.cluster, cluster, user)
    write_private(wallet.invited, authorities.pem(target))
    write_private(wallet.authority, authorities.pem(target))
    write_private(wallet.kubeconfig, authorities.beside(text, wallet).encode())
    wallet.begun.unlink()
    say(f"joined as cluster {cluster}")


def _fetching(target: Target) -> Target:
    """The hub as whoever may only fetch what came of the invitation."""
    token = fetch_token(target.user.token)
    if not token:
        return target
    return dataclasses.replace(target, user=dataclasses.replace(target.user, token=token))


async def _announce(hub: Api, cluster: str) -> None:
    """Register the cluster where nobody did: an invitation of ours has done so."""
    with contextlib.suppress(Unavailable, Unauthorized):
        # What keeps it from being asked now keeps the certificate too, which is asked for longer.
        await plain_hub.register(hub, cluster)


def _begin(wallet: Wallet, target: Target, new_key: Callable[[], bytes]) -> _Begun:
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
        key=new_key().decode(),
    )
    write_private(wallet.begun, msgspec.json.encode(begun))
    return begun
