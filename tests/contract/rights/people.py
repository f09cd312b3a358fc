"""Others than the administrator, on worlds that ask who somebody is."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
from collections.abc import Awaitable, Sequence
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from oneco.kube.api import Api, Patch
from oneco.kube.errors import Forbidden
from oneco.kube.objects import Object, dig
from oneco.kube.refs import Address, Resource
from oneco.worlds.cluster.client import ClusterApi
from oneco.worlds.cluster.target import Material, User
from tests.contract.given import eventually

RBAC = "rbac.authorization.k8s.io"
CLUSTER_ROLES = Resource(RBAC, "v1", "clusterroles")
CLUSTER_BINDINGS = Resource(RBAC, "v1", "clusterrolebindings")
ROLES = Resource(RBAC, "v1", "roles")
BINDINGS = Resource(RBAC, "v1", "rolebindings")
ACCOUNTS = Resource("", "v1", "serviceaccounts")
REQUESTS = Resource("certificates.k8s.io", "v1", "certificatesigningrequests")
SIGNER = "kubernetes.io/kube-apiserver-client"

_KINDS = {
    CLUSTER_ROLES: "ClusterRole",
    CLUSTER_BINDINGS: "ClusterRoleBinding",
    ROLES: "Role",
    BINDINGS: "RoleBinding",
}


class People:
    """Makes clients with other identities, and what gives them rights; `close` removes all."""

    def __init__(self, admin: ClusterApi, space: str) -> None:
        self.admin, self.space = admin, space
        self._clients: list[ClusterApi] = []
        self._made: list[Address] = []

    def anyone(self, user: User) -> ClusterApi:
        """A client that proves itself so."""
        client = ClusterApi(dataclasses.replace(self.admin.target, user=user))
        self._clients.append(client)
        return client

    def called(self, name: str, *groups: str) -> ClusterApi:
        """A client that the administrator lends another name."""
        headers = [("Impersonate-User", name), *(("Impersonate-Group", one) for one in groups)]
        own = self.admin.target.user
        return self.anyone(dataclasses.replace(own, impersonation=tuple(headers)))

    def lent(self, client: ClusterApi, name: str) -> ClusterApi:
        """The same client, trying to be somebody else."""
        headers = (("Impersonate-User", name),)
        return self.anyone(dataclasses.replace(client.target.user, impersonation=headers))

    def with_token(self, token: str) -> ClusterApi:
        """A client with a bearer token."""
        return self.anyone(User(token=token))

    async def certified(self, name: str, *groups: str) -> ClusterApi:
        """A client with a certificate that the cluster signed."""
        key = ec.generate_private_key(ec.SECP256R1())
        pem = await signed(self.admin, f"{self.space}-{len(self._clients)}", key, name, groups)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return self.anyone(User(certificate=Material(data=pem), key=Material(data=private)))

    def name(self, short: str) -> str:
        """A name for something without a namespace, which only this case uses."""
        return f"{self.space}:{short}"

    async def make(self, resource: Resource, name: str, **parts: Any) -> Object:
        """Create a role or binding as the administrator."""
        space = self.space if resource in (ROLES, BINDINGS) else ""
        return await self.make_in(space, resource, name, **parts)

    async def make_in(self, space: str, resource: Resource, name: str, **parts: Any) -> Object:
        """The same in another namespace."""
        if not space:
            self._made.append(Address(resource, "", name))
        return await self.admin.create(Address(resource, space), a(resource, name, **parts))

    async def may(self, name: str, *rules: Object) -> None:
        """Let `name` do what the rules say, in the namespace of this case."""
        role = f"{name.replace(':', '-')}-{len(self._made)}-{len(self._clients)}"
        await self.make(ROLES, role, rules=list(rules))
        await self.make(BINDINGS, role, roleRef=to("Role", role), subjects=[a_user(name)])

    async def may_everywhere(self, name: str, *rules: Object) -> None:
        """Let `name` do what the rules say in the whole cluster."""
        role = self.name(f"{name}-{len(self._made)}")
        await self.make(CLUSTER_ROLES, role, rules=list(rules))
        subjects = [a_user(name)]
        await self.make(CLUSTER_BINDINGS, role, roleRef=to("ClusterRole", role), subjects=subjects)

    async def close(self) -> None:
        for address in self._made:
            await self.admin.delete(address)
        for client in self._clients:
            await client.close()


async def signed(
    admin: Api, request: str, key: ec.EllipticCurvePrivateKey, name: str, groups: Sequence[str]
) -> bytes:
    """The certificate that the cluster signs for a name and groups once it is approved."""
    await admin.create(Address(REQUESTS), a_request(request, key, name, groups))
    condition = {"type": "Approved", "status": "True", "reason": "Test", "message": "approved"}
    body = {"status": {"conditions": [condition]}}
    at = Address(REQUESTS, "", request)
    await admin.patch(at._replace(subresource="approval"), Patch("merge", body))
    async with asyncio.timeout(20):
        while not (found := dig(await admin.get(at), "status", "certificate", default="")):
            await asyncio.sleep(0.05)
    await admin.delete(at)
    return base64.b64decode(found)


def a_request(
    request: str, key: ec.EllipticCurvePrivateKey, name: str, groups: Sequence[str]
) -> Object:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    parts.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(parts))
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": request},
        "spec": {
            "request": base64.b64encode(pem).decode(),
            "signerName": SIGNER,
            "usages": ["digital signature", "key encipherment", "client auth"],
        },
    }


def a(resource: Resource, name: str, **parts: Any) -> Object:
    """A role or binding."""
    head = {"apiVersion": f"{RBAC}/v1", "kind": _KINDS[resource], "metadata": {"name": name}}
    return {**head, **parts}


def rule(verbs: str, resources: str, *, group: str = "", names: str = "") -> Object:
    """A rule, its lists written as words."""
    found = {"verbs": verbs.split(), "apiGroups": [group], "resources": resources.split()}
    return {**found, "resourceNames": names.split()} if names else found


def to(kind: str, name: str) -> Object:
    return {"apiGroup": RBAC, "kind": kind, "name": name}


def a_user(name: str) -> Object:
    return {"apiGroup": RBAC, "kind": "User", "name": name}


def a_group(name: str) -> Object:
    return {"apiGroup": RBAC, "kind": "Group", "name": name}


async def review(api: Api, kind: str, space: str = "", /, **spec: Any) -> Object:
    """The status of an answered review."""
    group = "authentication.k8s.io" if kind in _AUTHENTICATION else "authorization.k8s.io"
    address = Address(Resource(group, "v1", f"{kind.lower()}s"), space)
    body = {"apiVersion": f"{group}/v1", "kind": kind, "spec": spec}
    if kind == "SelfSubjectReview":
        del body["spec"]
    answer: Object = (await api.create(address, body))["status"]
    return answer


async def may(client: Api, verb: str, resource: str, namespace: str = "", **more: str) -> bool:
    asked = {"verb": verb, "resource": resource, "namespace": namespace, **more}
    answer = await review(client, "SelfSubjectAccessReview", resourceAttributes=asked)
    return bool(answer["allowed"])


async def until_may(
    client: Api, verb: str, resource: str, namespace: str = "", **more: str
) -> None:
    """Return when it is allowed: a real server hears of roles a moment after they are written."""
    await eventually(lambda: may(client, verb, resource, namespace, **more))


async def refused(call: Awaitable[object]) -> str:
    """The message of the refusal that the call has to end in."""
    with pytest.raises(Forbidden) as refusal:
        await call
    return refusal.value.message


_AUTHENTICATION = ("SelfSubjectReview", "TokenReview")
