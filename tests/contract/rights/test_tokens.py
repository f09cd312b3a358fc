"""Tokens: of service accounts and of those who begin."""

from __future__ import annotations

import base64
import secrets
import time

import pytest

from oneco.kube import times
from oneco.kube.api import Api, Patch
from oneco.kube.errors import BadRequest, Forbidden, Invalid, NotFound, Unauthorized
from oneco.kube.objects import Object
from oneco.kube.refs import Address
from tests.contract.given import CONFIG_MAPS, SECRETS, eventually, is_gone
from tests.contract.rights.people import ACCOUNTS, BINDINGS, ROLES, People, review, rule, to

API_AUDIENCE = "https://kubernetes.default.svc"


async def an_account(people: People, name: str = "robot") -> Address:
    """A new service account; the address is where its tokens are asked for."""
    body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}
    await people.admin.create(Address(ACCOUNTS, people.space), body)
    return Address(ACCOUNTS, people.space, name, "token")


async def a_token(api: Api, at: Address, **spec) -> str:
    kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
    return str((await api.create(at, {**kind, "spec": spec}))["status"]["token"])


async def test_an_account_gets_a_token_that_says_who_it_is(people, space):
    at = await an_account(people)
    robot = people.with_token(await a_token(people.admin, at))
    info = (await review(robot, "SelfSubjectReview"))["userInfo"]
    assert info["username"] == f"system:serviceaccount:{space}:robot"
    assert info["groups"] == [
        "system:serviceaccounts",
        f"system:serviceaccounts:{space}",
        "system:authenticated",
    ]
    with pytest.raises(Forbidden):
        await robot.list(Address(CONFIG_MAPS, space))


async def test_an_account_may_do_what_is_bound_to_it(people, space):
    at = await an_account(people)
    robot = people.with_token(await a_token(people.admin, at))
    await people.make(ROLES, "reader", rules=[rule("list", "configmaps")])
    subject = {"kind": "ServiceAccount", "name": "robot", "namespace": space}
    await people.make(BINDINGS, "reader", roleRef=to("Role", "reader"), subjects=[subject])

    async def is_allowed() -> bool:
        try:
            await robot.list(Address(CONFIG_MAPS, space))
        except Forbidden:
            return False
        return True

    await eventually(is_allowed)


async def test_a_token_ends_with_its_account(people):
    at = await an_account(people)
    robot = people.with_token(await a_token(people.admin, at))
    await review(robot, "SelfSubjectReview")
    await people.admin.delete(at._replace(subresource=""))

    async def is_over() -> bool:
        try:
            await review(robot, "SelfSubjectReview")
        except Unauthorized:
            return True
        return False

    await eventually(is_over)
    await an_account(people)
    assert await is_over()


async def a_lasting_token(people: People, name: str = "robot-token") -> Address:
    """A Secret that asks for a token of robot without an end; it is filled when this returns."""
    marks = {"kubernetes.io/service-account.name": "robot"}
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/service-account-token",
        "metadata": {"name": name, "annotations": marks},
    }
    await people.admin.create(Address(SECRETS, people.space), body)
    at = Address(SECRETS, people.space, name)

    async def is_filled() -> bool:
        return "token" in ((await people.admin.get(at)).get("data") or {})

    await eventually(is_filled)
    return at


def held_in(secret: Object) -> str:
    return base64.b64decode(secret["data"]["token"]).decode()


async def is_nobodys(client: Api) -> bool:
    try:
        await review(client, "SelfSubjectReview")
    except Unauthorized:
        return True
    return False


async def test_a_secret_of_its_type_is_filled_with_a_token_of_its_account(people, space):
    at = await an_account(people)
    secret = await people.admin.get(await a_lasting_token(people))
    account = await people.admin.get(at._replace(subresource=""))
    marks = secret["metadata"]["annotations"]
    assert marks["kubernetes.io/service-account.uid"] == account["metadata"]["uid"]
    assert sorted(secret["data"]) == ["ca.crt", "namespace", "token"]
    assert base64.b64decode(secret["data"]["namespace"]).decode() == space
    assert base64.b64decode(secret["data"]["ca.crt"]).startswith(b"-----BEGIN CERTIFICATE-----")
    robot = people.with_token(held_in(secret))
    info = (await review(robot, "SelfSubjectReview"))["userInfo"]
    assert info["username"] == f"system:serviceaccount:{space}:robot"
    told = (await review(people.admin, "TokenReview", token=held_in(secret)))["user"]
    assert told["uid"] == account["metadata"]["uid"]
    assert info["groups"] == [
        "system:serviceaccounts",
        f"system:serviceaccounts:{space}",
        "system:authenticated",
    ]


async def test_a_token_that_was_taken_out_of_its_secret_is_nobodys_and_made_anew(people):
    await an_account(people)
    at = await a_lasting_token(people)
    before = held_in(await people.admin.get(at))
    await people.admin.patch(at, Patch("merge", {"data": {"ca.crt": None}}))

    async def is_mended() -> bool:
        return "ca.crt" in (await people.admin.get(at))["data"]

    await eventually(is_mended)
    assert held_in(await people.admin.get(at)) == before
    await people.admin.delete(at)
    # A token that was never shown: a real server remembers for ten seconds those that were.
    assert await is_nobodys(people.with_token(before))


async def test_a_secret_with_a_token_goes_with_its_account(people):
    at = await an_account(people)
    first, second = await a_lasting_token(people), await a_lasting_token(people, "another")
    await people.admin.delete(at._replace(subresource=""))
    await eventually(lambda: is_gone(people.admin, first))
    await eventually(lambda: is_gone(people.admin, second))


async def test_a_secret_for_the_token_of_nobody_is_refused_or_removed(people):
    with pytest.raises(Invalid) as refusal:
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "n"}}
        kind = {"type": "kubernetes.io/service-account-token"}
        await people.admin.create(Address(SECRETS, people.space), {**body, **kind})
    assert refusal.value.message == (
        'Secret "n" is invalid: metadata.annotations[kubernetes.io/service-account.name]:'
        " Required value"
    )
    marks = {"kubernetes.io/service-account.name": "nobody"}
    meta = {"name": "n", "annotations": marks}
    await people.admin.create(Address(SECRETS, people.space), {**body, **kind, "metadata": meta})
    at = Address(SECRETS, people.space, "n")
    await eventually(lambda: is_gone(people.admin, at))


async def test_a_token_for_somebody_else_is_not_for_this_server(people):
    at = await an_account(people)
    other = people.with_token(await a_token(people.admin, at, audiences=["vault"]))
    with pytest.raises(Unauthorized):
        await review(other, "SelfSubjectReview")


async def test_a_token_request_shows_what_was_given(people, space):
    at = await an_account(people)
    kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
    begun = time.time()
    made = await people.admin.create(at, {**kind, "spec": {"expirationSeconds": 900}})
    assert made["kind"] == "TokenRequest"
    assert made["spec"]["audiences"] == [API_AUDIENCE]
    assert made["spec"]["expirationSeconds"] == 900
    assert made["metadata"]["name"] == "robot"
    ends = times.from_text(made["status"]["expirationTimestamp"])
    assert 890 < ends - begun < 960


async def test_a_token_for_less_than_ten_minutes_is_not_given(people):
    at = await an_account(people)
    with pytest.raises(Invalid) as refusal:
        await a_token(people.admin, at, expirationSeconds=599)
    assert refusal.value.message == (
        'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value:'
        " 599: may not specify a duration less than 10 minutes"
    )
    with pytest.raises(NotFound, match='serviceaccounts "nobody" not found'):
        await a_token(people.admin, at._replace(name="nobody"))


async def test_who_asks_for_a_token_has_to_be_allowed_to(people, space):
    at = await an_account(people)
    with pytest.raises(Forbidden) as refusal:
        await a_token(people.called("jane"), at)
    assert refusal.value.message == (
        'serviceaccounts "robot" is forbidden: User "jane" cannot create resource'
        f' "serviceaccounts/token" in API group "" in the namespace "{space}"'
    )


async def test_a_token_review_says_whose_a_token_is(people, space):
    at = await an_account(people)
    token = await a_token(people.admin, at)
    status = await review(people.admin, "TokenReview", token=token)
    assert status["authenticated"] is True
    assert status["user"]["username"] == f"system:serviceaccount:{space}:robot"
    assert (
        status["user"]["uid"]
        == (await people.admin.get(at._replace(subresource="")))["metadata"]["uid"]
    )
    assert status["audiences"] == [API_AUDIENCE]
    vault = await a_token(people.admin, at, audiences=["vault"])
    asked = {"token": vault, "audiences": ["vault", "other"]}
    assert (await review(people.admin, "TokenReview", **asked))["audiences"] == ["vault"]
    for wrong in ("abc", "a.b.c", token[:-4] + "AAAA", token + "."):
        status = await review(people.admin, "TokenReview", token=wrong)
        assert "authenticated" not in status
        assert status["user"] == {}
    with pytest.raises(BadRequest, match="token is required for TokenReview in authentication"):
        await review(people.admin, "TokenReview")


async def a_bootstrap_token(people: People, **said: str) -> tuple[str, str]:
    token_id = secrets.token_hex(3)
    data = {
        "token-id": token_id,
        "token-secret": "0123456789abcdef",
        "usage-bootstrap-authentication": "true",
        **{key.replace("_", "-"): text for key, text in said.items()},
    }
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "bootstrap.kubernetes.io/token",
        "metadata": {"name": f"bootstrap-token-{token_id}"},
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in data.items()},
    }
    await people.admin.create(Address(SECRETS, "kube-system"), body)
    people._made.append(Address(SECRETS, "kube-system", f"bootstrap-token-{token_id}"))
    return token_id, f"{token_id}.0123456789abcdef"


async def test_a_bootstrap_token_says_who_begins(people):
    groups = "system:bootstrappers:oneco,system:bootstrappers:oneco:c1"
    token_id, token = await a_bootstrap_token(people, auth_extra_groups=groups)
    client = people.with_token(token)

    async def is_known() -> bool:
        try:
            await review(client, "SelfSubjectReview")
        except Unauthorized:
            return False
        return True

    await eventually(is_known)
    info = (await review(client, "SelfSubjectReview"))["userInfo"]
    assert info["username"] == f"system:bootstrap:{token_id}"
    assert sorted(info["groups"]) == [
        "system:authenticated",
        "system:bootstrappers",
        "system:bootstrappers:oneco",
        "system:bootstrappers:oneco:c1",
    ]


@pytest.mark.parametrize(
    "said",
    [
        {"expiration": "2020-01-01T00:00:00Z"},
        {"expiration": "tomorrow"},
        {"usage_bootstrap_authentication": "false"},
        {"token_id": "abcdef"},
        {"token_secret": "fedcba9876543210"},
        {"auth_extra_groups": "system:masters"},
    ],
)
async def test_a_bootstrap_token_that_is_over_or_odd_is_nobodys(people, said):
    _good, token = await a_bootstrap_token(people)
    _, wrong = await a_bootstrap_token(people, **said)

    async def is_known(text: str) -> bool:
        status = await review(people.admin, "TokenReview", token=text)
        return bool(status.get("authenticated"))

    await eventually(lambda: is_known(token))
    assert not await is_known(wrong)
