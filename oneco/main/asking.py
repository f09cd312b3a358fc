"""Asking a hub for a certificate: only to join and to renew, so loaded only then.

The library for keys and requests is more than a tenth of an agent's memory.
"""

from __future__ import annotations

import base64

from oneco.clock import Clock, Instant
from oneco.errors import Refused, Unavailable
from oneco.fleet.joining import REQUESTS, SIGNER
from oneco.fleet.ports import Subject
from oneco.integrations.x509 import requests
from oneco.kinds import ocm
from oneco.kube import objects
from oneco.kube.api import Api
from oneco.kube.errors import AlreadyExists, Forbidden, NotFound, Unauthorized, Untrusted
from oneco.kube.objects import Object
from oneco.kube.refs import Address
from oneco.main.telling import Say

NEW_INVITATION = "a new invitation: `oneco clusters join NAME` on the hub writes one, for --join"
_REFUSED = (
    "one that the hub refuses: it was used by another agent or a while ago, has expired, or is of"
    " another hub"
)
_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS = 1.0, 30.0
_LOOK_SECONDS, _PATIENCE_SECONDS = 0.5, 5.0
# Of several API servers one may hear later than another that a token is there, or is gone.
_MOST_REFUSALS = 4
_USAGES = ("digital signature", "key encipherment", "client auth")


def new_key() -> bytes:
    """A new private key, PEM."""
    return requests.new_key()


async def persist(asking: Asking, clock: Clock, say: Say) -> bytes:
    """The certificate, however long the hub cannot be reached; Refused if it will never come."""
    pause, refusals = _FIRST_PAUSE_SECONDS, 0
    while True:
        try:
            return await asking.certificate(clock, say)
        except (Unauthorized, Forbidden) as refusal:
            refusals += 1
            if refusals == _MOST_REFUSALS:
                raise Refused("the invitation", found=_REFUSED, wanted=NEW_INVITATION) from refusal
            await clock.sleep_until(Instant(clock.now() + _LOOK_SECONDS))
            continue
        except Untrusted as stranger:
            found = f"one for another hub than the one that answers ({stranger})"
            raise Refused("the invitation", found=found, wanted=NEW_INVITATION) from stranger
        except Unavailable as outage:
            say(f"the hub cannot be asked for a certificate: {outage}; trying again")
        await clock.sleep_until(Instant(clock.now() + pause))
        pause = min(pause * 2, _LAST_PAUSE_SECONDS)


class Asking:
    """One certificate request, which asking again does not double.

    `fetch` is the hub as whoever holds a token's fetch token: the token itself is deleted in the
    moment in which the request is approved.
    """

    def __init__(
        self, hub: Api, cluster: str, key: bytes, subject: Subject, *, fetch: Api | None = None
    ) -> None:
        self._hub, self._cluster, self._fetch = hub, cluster, fetch
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
            # Made anew where somebody took it away meanwhile.
            request = await self._made()

    async def _look(self) -> Object:
        try:
            return await self._hub.get(self._address())
        except Unauthorized:
            if self._fetch is None:
                raise
        return await self._fetch.get(self._address())

    async def _made(self) -> Object:
        try:
            return await self._look()
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
            return await self._look()

    def _raise_if_refused(self, request: Object) -> None:
        for condition in objects.dig(request, "status", "conditions", default=()):
            if condition.get("type") in ("Denied", "Failed"):
                said = f"{condition.get('reason')}: {condition.get('message')}"
                where = f"certificate request {self._name}"
                raise Refused(where, found=said, wanted=NEW_INVITATION)

    def _checked(self, certificate: bytes) -> bytes:
        if not requests.is_of(certificate, self._key):
            where = f"certificate request {self._name}"
            raise Refused(where, found="a certificate of another key", wanted=NEW_INVITATION)
        return certificate if certificate.endswith(b"\n") else certificate + b"\n"

    def _address(self) -> Address:
        return Address(REQUESTS, "", self._name)
