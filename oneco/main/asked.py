"""The hub asked by its API server: what is wrong with an object is said before it is kept.

Inside the cluster every process answers behind one Service, with a certificate that they share in a
Secret. Outside, the process that leads registers its own address.
"""

from __future__ import annotations

import base64
import contextlib
from typing import Any, Final

from oneco.clock import Clock, Instant
from oneco.errors import Refused
from oneco.kinds import validity
from oneco.kube import objects
from oneco.kube.api import Api, Patch, WriteOptions
from oneco.kube.errors import AlreadyExists, ApiError, ApiRefusal, NotFound
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from oneco.main import manifests
from oneco.main.epoch import SYSTEM_NAMESPACE
from oneco.main.hub_rights import ACCOUNT, WEBHOOK, WEBHOOKS
from oneco.main.kubeconfigs import SECRETS
from oneco.main.telling import Say
from oneco.worlds.embedded.transport import HttpsPort
from oneco.worlds.webhook import certificate
from oneco.worlds.webhook.application import VALIDATE, Application
from oneco.worlds.webhook.certificate import Pair

CONFIGURATION: Final = Address(WEBHOOKS, "", WEBHOOK)
SECRET: Final = Address(SECRETS, SYSTEM_NAMESPACE, WEBHOOK)
_REVIEWS: Final = Resource("authentication.k8s.io", "v1", "selfsubjectreviews")
_SERVICE_NAMES: Final = tuple(
    f"{ACCOUNT}.{SYSTEM_NAMESPACE}{tail}" for tail in ("", ".svc", ".svc.cluster.local")
)
_LOOK_SECONDS: Final = 1.0
_EVERYWHERE: Final = ("0.0.0.0", "::", "")


class Asked:
    """The port on which one process answers; `is_behind_service` says who asks there."""

    def __init__(self, host: str, port: int, say: Say, *, is_behind_service: bool) -> None:
        if host in _EVERYWHERE and not is_behind_service:
            wanted = "the address at which the hub's API server reaches this process"
            raise Refused("--listen", found=host or "nothing", wanted=wanted)
        self._host, self._number, self._say = host, port, say
        self.is_behind_service = is_behind_service
        self._port: HttpsPort | None = None
        self._pair: Pair | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, once it does."""
        assert self._port is not None, "asked before it listens"
        return self._port.address

    @property
    def certificate(self) -> bytes | None:
        """What a client has to trust, once it listens."""
        return self._pair.certificate if self._pair is not None else None

    async def open(self, api: Api, clock: Clock) -> None:
        """Listen; behind a Service, wait for the certificate that the leading process makes."""
        if self.is_behind_service:
            await self._listen(await shared(api, clock))
        else:
            await self._listen(certificate.self_signed([self._host]))

    async def close(self) -> None:
        """Stop listening."""
        if self._port is not None:
            await self._port.close()

    async def register(self, api: Api) -> None:
        """Tell the API server whom to ask; where that may not be, deciders say it afterwards."""
        try:
            if self.is_behind_service:
                await register_service(api)
            else:
                await self._register_address(api)
        except ApiRefusal as refusal:
            self._say(f"objects are judged only after they are kept: {refusal.message}")

    async def leave(self, api: Api) -> None:
        """Tell the API server not to ask here any more."""
        if not self.is_behind_service:
            with contextlib.suppress(ApiError):
                await api.delete(CONFIGURATION)

    async def _listen(self, pair: Pair) -> None:
        rules = (validity.Admission(),)
        port = HttpsPort(Application(rules), certificate.context(pair))
        await port.open(self._host, self._number)
        self._port, self._pair = port, pair

    async def _register_address(self, api: Api) -> None:
        assert self._pair is not None, "asked before it listens"
        host = f"[{self._host}]" if ":" in self._host else self._host
        url = f"https://{host}:{self.address[1]}{VALIDATE}"
        client = {"url": url, "caBundle": _base64(self._pair.certificate)}
        body = manifests.webhook(client, is_spared=await _own_account(api))
        await api.apply(CONFIGURATION, body, WriteOptions(manager="oneco", force=True))
        self._say(f"objects are judged at {url} before they are kept")


async def register_service(api: Api) -> None:
    """Make the shared certificate if there is none, and have the API server trust it."""
    with contextlib.suppress(AlreadyExists):
        if await _stored(api) is None:
            await api.create(SECRET._replace(name=""), _secret())
    pair = await _stored(api)
    if pair is None:
        raise NotFound(f"the Secret {SYSTEM_NAMESPACE}/{WEBHOOK} is damaged: delete it")
    found = await api.get(CONFIGURATION)
    bundle = _base64(pair.certificate)
    hooks = [
        {**one, "clientConfig": {**one["clientConfig"], "caBundle": bundle}}
        for one in found.get("webhooks") or ()
    ]
    if hooks != found.get("webhooks"):
        fence = {"resourceVersion": objects.resource_version(found)}
        await api.patch(CONFIGURATION, Patch("merge", {"metadata": fence, "webhooks": hooks}))


async def shared(api: Api, clock: Clock) -> Pair:
    """The certificate that all processes share, as soon as one has made it."""
    while True:
        with contextlib.suppress(ApiError):
            found = await _stored(api)
            if found is not None:
                return found
        await clock.sleep_until(Instant(clock.now() + _LOOK_SECONDS))


async def _own_account(api: Api) -> str:
    """The service account of this process; empty where it comes as a person, who is asked."""
    body = {"apiVersion": _REVIEWS.api_version, "kind": "SelfSubjectReview"}
    made = await api.create(Address(_REVIEWS), body)
    name = str(objects.dig(made, "status", "userInfo", "username", default=""))
    return name if name.startswith("system:serviceaccount:") else ""


async def _stored(api: Api) -> Pair | None:
    try:
        data = (await api.get(SECRET)).get("data") or {}
    except NotFound:
        return None
    parts = [base64.b64decode(data.get(key) or "") for key in ("tls.crt", "tls.key")]
    return Pair(*parts) if all(parts) else None


def _secret() -> Object:
    pair = certificate.self_signed(_SERVICE_NAMES)
    data: dict[str, Any] = {"tls.crt": _base64(pair.certificate), "tls.key": _base64(pair.key)}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": WEBHOOK, "namespace": SYSTEM_NAMESPACE},
        "data": data,
    }


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
