"""Tokens of service accounts: signed statements that end, and end earlier with their account."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from oneco.clock import Instant
from oneco.errors import Refused
from oneco.kube import causes, objects, times
from oneco.kube.objects import Object, dig
from oneco.kube.rbac import User
from oneco.kube.refs import Kind
from oneco.worlds.apiserver.rights import Identity
from oneco.worlds.apiserver.store import Key, Store
from oneco.worlds.embedded.identity import AUTHENTICATED
from oneco.worlds.embedded.private_files import write_private

ISSUER: Final = "https://kubernetes.default.svc"
ACCOUNTS: Final = "/serviceaccounts"
SECRETS: Final = "/secrets"
_LASTING_ISSUER: Final = "kubernetes/serviceaccount"
_LASTING: Final = "kubernetes.io/serviceaccount/"
_CREDENTIAL: Final = "authentication.kubernetes.io/credential-id"
_HOUR_SECONDS, _SHORTEST_SECONDS, _LONGEST_SECONDS = 3600, 600, 1 << 32
_NUMBER_BYTES: Final = 32
_MOST_VERIFIED: Final = 1024
_BINDABLE: Final = {"Pod": "/pods", "Secret": SECRETS, "Node": "/nodes"}


class Accounts:
    """Issues and reads the tokens of one server's service accounts, in real time."""

    def __init__(self, store: Store, key: Path, now: Callable[[], float] = time.time) -> None:
        self._store, self._now = store, now
        self._key = _loaded(key)
        self._name = _fingerprint(self._key)
        # A signature that was good stays good: only what it says is looked at again.
        self._verified: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    def issue(self, account: Object, request: Object) -> Object:
        """The answered TokenRequest of `account`."""
        spec = request.get("spec") or {}
        seconds = spec.get("expirationSeconds") or _HOUR_SECONDS
        _check_seconds(seconds)
        audiences = list(spec.get("audiences") or [ISSUER])
        begins, token_id = int(self._now()), secrets.token_hex(16)
        ends = begins + seconds
        name, namespace = objects.name(account), objects.namespace(account)
        claims = {
            "aud": audiences,
            "exp": ends,
            "iat": begins,
            "iss": ISSUER,
            "jti": token_id,
            "kubernetes.io": {
                "namespace": namespace,
                "serviceaccount": {"name": name, "uid": objects.uid(account)},
                **_bound(spec),
            },
            "nbf": begins,
            "sub": f"system:serviceaccount:{namespace}:{name}",
        }
        said = {"expirationTimestamp": times.to_text(Instant(ends)), "token": self._signed(claims)}
        bound = spec.get("boundObjectRef")
        asked = {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": bound}
        metadata = {"name": name, "namespace": namespace, "uid": objects.uid(account)}
        metadata["creationTimestamp"] = times.to_text(Instant(begins))
        return {**request, "metadata": metadata, "spec": asked, "status": said}

    def lasting(self, account: Object, secret: str) -> str:
        """A token of `account` that is good as long as it stands in the Secret of this name."""
        name, namespace = objects.name(account), objects.namespace(account)
        about = {
            "namespace": namespace,
            "secret.name": secret,
            "service-account.name": name,
            "service-account.uid": objects.uid(account),
        }
        claims = {f"{_LASTING}{key}": value for key, value in about.items()}
        subject = f"system:serviceaccount:{namespace}:{name}"
        return self._signed({"iss": _LASTING_ISSUER, **claims, "sub": subject})

    def identify(self, token: str, audiences: Sequence[str] = ()) -> Identity | None:
        """The account whose token this is, None for one that is not valid or not any more."""
        claims = self._claims(token)
        if claims is not None and claims.get("iss") == _LASTING_ISSUER:
            return self._of_a_secret(token, claims, audiences or (ISSUER,))
        if claims is None or not claims["nbf"] <= self._now() < claims["exp"]:
            return None
        shared = [one for one in claims["aud"] if one in (audiences or (ISSUER,))]
        about = claims["kubernetes.io"]
        if not shared or not self._lives(about):
            return None
        extra = {_CREDENTIAL: [f"JTI={claims['jti']}"]}
        user = _user(claims["sub"], about["namespace"])
        return Identity(user, about["serviceaccount"]["uid"], extra, shared)

    def _of_a_secret(
        self, token: str, claims: Mapping[str, Any], audiences: Sequence[str]
    ) -> Identity | None:
        """Whose lasting token this is: it has to stand in its Secret still."""
        namespace, secret, name, uid = (
            claims[f"{_LASTING}{key}"]
            for key in ("namespace", "secret.name", "service-account.name", "service-account.uid")
        )
        kept = self._store.get(Key(SECRETS, namespace, secret))
        account = self._store.get(Key(ACCOUNTS, namespace, name))
        if kept is None or account is None or ISSUER not in audiences:
            return None
        is_over = any(dig(one, "metadata", "deletionTimestamp") for one in (kept, account))
        written = base64.b64encode(token.encode()).decode()
        is_kept = hmac.compare_digest(
            dig(kept, "data", "token", default="").encode(), written.encode()
        )
        if is_over or not is_kept or objects.uid(account) != uid:
            return None
        return Identity(_user(claims["sub"], namespace), uid, audiences=(ISSUER,))

    def _lives(self, about: Mapping[str, Any]) -> bool:
        """Whether the account, and what the token was bound to, are still the same objects."""
        namespace, account = about["namespace"], about["serviceaccount"]
        places = [(Key(ACCOUNTS, namespace, account["name"]), account["uid"])]
        for kind, collection in _BINDABLE.items():
            bound = about.get(kind.lower())
            if bound:
                place = "" if kind == "Node" else namespace
                places.append((Key(collection, place, bound["name"]), bound["uid"]))
        return all(
            objects.uid(self._store.get(key) or {}) == uid and bool(uid) for key, uid in places
        )

    def _signed(self, claims: Mapping[str, Any]) -> str:
        head = {"alg": "ES256", "kid": self._name}
        text = ".".join(_encoded(msgspec.json.encode(part)) for part in (head, claims))
        first, second = decode_dss_signature(
            self._key.sign(text.encode(), ec.ECDSA(hashes.SHA256()))
        )
        numbers = b"".join(number.to_bytes(_NUMBER_BYTES, "big") for number in (first, second))
        return f"{text}.{_encoded(numbers)}"

    def _claims(self, token: str) -> Mapping[str, Any] | None:
        known = self._verified.get(token)
        if known is not None:
            return known
        text, _, signature = token.rpartition(".")
        try:
            numbers = _decoded(signature)
            # What is in the head is not asked: there is one key and one way to sign with it.
            claims = msgspec.json.decode(_decoded(text.partition(".")[2]))
            if len(numbers) != 2 * _NUMBER_BYTES:
                return None
            halves = numbers[:_NUMBER_BYTES], numbers[_NUMBER_BYTES:]
            proof = encode_dss_signature(*(int.from_bytes(half, "big") for half in halves))
            method = ec.ECDSA(hashes.SHA256())
            self._key.public_key().verify(proof, text.encode(), method)
        except (ValueError, binascii.Error, msgspec.DecodeError, InvalidSignature):
            return None
        self._verified[token] = claims
        if len(self._verified) > _MOST_VERIFIED:
            self._verified.popitem(last=False)
        return claims  # type: ignore[no-any-return]


def _user(subject: str, namespace: str) -> User:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
    return User(subject, groups)


def _check_seconds(seconds: int) -> None:
    words = ""
    if seconds < _SHORTEST_SECONDS:
        words = "may not specify a duration less than 10 minutes"
    elif seconds > _LONGEST_SECONDS:
        words = "may not specify a duration larger than 2^32 seconds"
    if words:
        kind = Kind("authentication.k8s.io", "v1", "TokenRequest")
        fault = causes.invalid("spec.expirationSeconds", seconds, words)
        raise causes.refusal(kind, "", [fault])


def _bound(spec: Object) -> dict[str, Any]:
    kind = dig(spec, "boundObjectRef", "kind", default="")
    if kind not in _BINDABLE:
        return {}
    reference = spec["boundObjectRef"]
    about = {"name": reference.get("name") or "", "uid": reference.get("uid") or ""}
    return {kind.lower(): about}


def _loaded(path: Path) -> ec.EllipticCurvePrivateKey:
    if not path.exists():
        made = ec.generate_private_key(ec.SECP256R1())
        pem = made.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_private(path, pem)
        return made
    try:
        found = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as failure:
        wanted = "it removed: the tokens of service accounts are then made anew"
        raise Refused(str(path), found="a damaged key", wanted=wanted) from failure
    if not isinstance(found, ec.EllipticCurvePrivateKey):
        raise Refused(str(path), found="another kind of key", wanted="an elliptic curve key")
    return found


def _fingerprint(key: ec.EllipticCurvePrivateKey) -> str:
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return _encoded(hashlib.sha256(public).digest())


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
