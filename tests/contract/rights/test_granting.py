"""Who may hand on rights, lend a name, or approve; and what every cluster begins with."""

from __future__ import annotations

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from oneco.generated import policy
from oneco.kube.api import ListOptions, Match, Patch
from oneco.kube.errors import NotFound
from oneco.kube.refs import Address
from tests.contract.given import CONFIG_MAPS, eventually
from tests.contract.rights.people import (
    BINDINGS,
    CLUSTER_BINDINGS,
    CLUSTER_ROLES,
    RBAC,
    REQUESTS,
    ROLES,
    SIGNER,
    a,
    a_request,
    a_user,
    may,
    refused,
    review,
    rule,
    to,
    until_may,
)

EVERYTHING = rule("*", "*", group="*")


async def test_nobody_grants_what_is_not_theirs(people, space):
    await people.may(
        "jane",
        rule("create update patch get", "roles rolebindings", group=RBAC),
        rule("get list", "configmaps"),
    )
    jane = people.called("jane")
    await until_may(jane, "get", "configmaps", space)
    wanted = [rule("get list watch", "secrets configmaps"), rule("get", "pods/log", names="b a")]
    message = await refused(jane.create(Address(ROLES, space), a(ROLES, "r", rules=wanted)))
    assert message == (
        f'roles.{RBAC} "r" is forbidden: user "jane" (groups=["system:authenticated"]) is'
        " attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["configmaps"], Verbs:["watch"]}\n'
        '{APIGroups:[""], Resources:["pods/log"], ResourceNames:["a"], Verbs:["get"]}\n'
        '{APIGroups:[""], Resources:["pods/log"], ResourceNames:["b"], Verbs:["get"]}\n'
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list" "watch"]}'
    )
    own = [rule("get", "configmaps", names="one")]
    await jane.create(Address(ROLES, space), a(ROLES, "own", rules=own))
    wider = Patch("merge", {"rules": [EVERYTHING]})
    assert '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}' in await refused(
        jane.patch(Address(ROLES, space, "own"), wider)
    )
    held = {"roleRef": to("Role", "own"), "subjects": [a_user("bob")]}
    await jane.create(Address(BINDINGS, space), a(BINDINGS, "own", **held))


async def test_nobody_binds_a_role_that_holds_more(people, space):
    await people.may("jane", rule("create", "rolebindings", group=RBAC))
    jane = people.called("jane")
    await until_may(jane, "create", "rolebindings", space, group=RBAC)
    whole = {"roleRef": to("ClusterRole", "cluster-admin"), "subjects": [a_user("jane")]}
    message = await refused(jane.create(Address(BINDINGS, space), a(BINDINGS, "all", **whole)))
    assert message == (
        f'rolebindings.{RBAC} "all" is forbidden: user "jane" (groups=["system:authenticated"]) is'
        " attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n'
        '{NonResourceURLs:["*"], Verbs:["*"]}'
    )
    gone = {"roleRef": to("Role", "gone"), "subjects": [a_user("jane")]}
    with pytest.raises(NotFound, match=f'rolebindings.{RBAC} "gone" not found'):
        await jane.create(Address(BINDINGS, space), a(BINDINGS, "none", **gone))


async def test_who_may_bind_or_escalate_is_not_asked_what_they_hold(people, space):
    big = people.name("big")
    await people.make(CLUSTER_ROLES, big, rules=[rule("get", "secrets")])
    await people.may(
        "jane",
        rule("create", "roles rolebindings", group=RBAC),
        rule("bind", "clusterroles", group=RBAC, names=big),
        rule("escalate", "roles", group=RBAC),
    )
    jane = people.called("jane")
    await until_may(jane, "escalate", "roles", space, group=RBAC)
    bound = {"roleRef": to("ClusterRole", big), "subjects": [a_user("bob")]}
    await jane.create(Address(BINDINGS, space), a(BINDINGS, "big", **bound))
    await jane.create(Address(ROLES, space), a(ROLES, "all", rules=[EVERYTHING]))
    admin = {"roleRef": to("ClusterRole", "cluster-admin"), "subjects": [a_user("bob")]}
    await refused(jane.create(Address(BINDINGS, space), a(BINDINGS, "admin", **admin)))


async def test_a_role_made_of_others_takes_everything_to_make(people):
    await people.may_everywhere("ina", rule("create", "clusterroles", group=RBAC))
    ina = people.called("ina")
    await until_may(ina, "create", "clusterroles", group=RBAC)
    made = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}
    role = a(CLUSTER_ROLES, people.name("sum"), aggregationRule=made)
    message = await refused(ina.create(Address(CLUSTER_ROLES), role))
    assert message.endswith("must have cluster-admin privileges to use the aggregationRule")


async def test_a_role_made_of_others_follows_them(people, space):
    label = {f"aggregate.example/{space}": "true"}
    made = {"clusterRoleSelectors": [{"matchLabels": label}]}
    whole = Address(CLUSTER_ROLES, "", people.name("whole"))
    await people.make(CLUSTER_ROLES, whole.name, aggregationRule=made)

    async def rules() -> list:
        return (await people.admin.get(whole)).get("rules") or []

    parts = {name: rule("get", name) for name in ("pods", "secrets")}
    for name, one in parts.items():
        body = a(CLUSTER_ROLES, people.name(name), rules=[one])
        body = {**body, "metadata": {**body["metadata"], "labels": label}}
        await people.admin.create(Address(CLUSTER_ROLES), body)

    async def has_both() -> bool:
        return await rules() == list(parts.values())

    await eventually(has_both)
    await people.admin.delete(Address(CLUSTER_ROLES, "", people.name("pods")))

    async def has_one() -> bool:
        return await rules() == [parts["secrets"]]

    await eventually(has_one)
    unlabelled = Patch("merge", {"metadata": {"labels": {next(iter(label)): None}}})
    await people.admin.patch(Address(CLUSTER_ROLES, "", people.name("secrets")), unlabelled)

    async def has_none() -> bool:
        return await rules() == []

    await eventually(has_none)
    await people.admin.delete(Address(CLUSTER_ROLES, "", people.name("secrets")))


async def test_every_cluster_begins_with_these_roles(people):
    ours = ListOptions(match=Match(labels="kubernetes.io/bootstrapping=rbac-defaults"))
    found = {}
    for resource in (CLUSTER_ROLES, CLUSTER_BINDINGS, ROLES, BINDINGS):
        for one in (await people.admin.list(Address(resource), ours)).items:
            meta = one["metadata"]
            found[one["kind"], meta.get("namespace"), meta["name"]] = content(one)
    wanted = {}
    for row in policy.OBJECTS:
        one = msgspec.json.decode(row)
        meta = one["metadata"]
        wanted[one["kind"], meta.get("namespace"), meta["name"]] = content(one)
    assert found == wanted


def content(obj) -> object:
    meta = obj["metadata"]
    parts = ("rules", "roleRef", "subjects", "aggregationRule")
    return meta.get("labels"), meta.get("annotations"), *(obj.get(part) for part in parts)


@pytest.mark.parametrize(
    ("role", "allowed", "denied"),
    [
        ("view", ("list", "configmaps"), ("list", "secrets")),
        ("edit", ("create", "secrets"), ("create", "rolebindings")),
        ("admin", ("create", "rolebindings"), ("update", "resourcequotas")),
    ],
)
async def test_the_roles_for_people_do_what_their_names_say(people, space, role, allowed, denied):
    bound = {"roleRef": to("ClusterRole", role), "subjects": [a_user("jane")]}
    await people.make(BINDINGS, role, **bound)
    jane = people.called("jane")
    groups = {"rolebindings": RBAC}
    verb, resource = allowed
    await until_may(jane, verb, resource, space, group=groups.get(resource, ""))
    verb, resource = denied
    assert not await may(jane, verb, resource, space, group=groups.get(resource, ""))
    assert not await may(jane, "list", "configmaps", "default")


async def test_who_lends_a_name_has_to_be_allowed_to(people, space):
    names = "userextras/reason"
    await people.may_everywhere(
        "boss",
        rule("impersonate", "users", names="jane"),
        rule("impersonate", "groups", names="devs"),
        rule("impersonate", names, group="authentication.k8s.io"),
    )
    boss = await people.certified("boss")
    await until_may(boss, "impersonate", "users", name="jane")
    status = await review(people.lent(boss, "jane"), "SelfSubjectReview")
    assert status["userInfo"]["username"] == "jane"
    assert status["userInfo"]["groups"] == ["system:authenticated"]
    message = await refused(review(people.lent(boss, "bob"), "SelfSubjectReview"))
    assert message == (
        'users "bob" is forbidden: User "boss" cannot impersonate resource "users" in API group ""'
        " at the cluster scope"
    )
    robot = f"system:serviceaccount:{space}:robot"
    message = await refused(review(people.lent(boss, robot), "SelfSubjectReview"))
    assert message == (
        'serviceaccounts "robot" is forbidden: User "boss" cannot impersonate resource'
        f' "serviceaccounts" in API group "" in the namespace "{space}"'
    )


async def test_a_signed_certificate_says_who_one_is(people, space):
    jane = await people.certified("jane", "devs", "ops")
    info = (await review(jane, "SelfSubjectReview"))["userInfo"]
    assert info["username"] == "jane"
    assert sorted(info["groups"]) == ["devs", "ops", "system:authenticated"]
    await refused(jane.list(Address(CONFIG_MAPS, space)))


async def test_nobody_gets_a_certificate_of_an_administrator(people):
    key = ec.generate_private_key(ec.SECP256R1())
    body = a_request(people.space, key, "jane", ["system:masters"])
    assert await refused(people.admin.create(Address(REQUESTS), body)) == (
        f'certificatesigningrequests.certificates.k8s.io "{people.space}" is forbidden: use of'
        " kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed"
    )


async def test_approving_takes_the_right_to_approve_for_its_signer(people):
    approvals = "certificatesigningrequests/approval"
    csr = "certificates.k8s.io"
    await people.may_everywhere("ilse", rule("update patch", approvals, group=csr))
    await people.may_everywhere(
        "bob",
        rule("update patch", approvals, group=csr),
        rule("approve", "signers", group=csr, names=SIGNER),
    )
    key = ec.generate_private_key(ec.SECP256R1())
    body = a_request(people.space, key, "x", [])
    await people.admin.create(Address(REQUESTS), body)
    at = Address(REQUESTS, "", people.space, "approval")
    said = {"type": "Denied", "status": "True", "reason": "Test", "message": "no"}
    patch = Patch("merge", {"status": {"conditions": [said]}})
    ilse, bob = people.called("ilse"), people.called("bob")
    await until_may(ilse, "patch", "certificatesigningrequests", group=csr, subresource="approval")
    assert await refused(ilse.patch(at, patch)) == (
        f'certificatesigningrequests.certificates.k8s.io "{people.space}" is forbidden: user not'
        f' permitted to approve requests with signerName "{SIGNER}"'
    )
    await until_may(bob, "approve", "signers", group=csr, name=SIGNER)
    await bob.patch(at, patch)
    await people.admin.delete(at._replace(subresource=""))


async def test_everybody_who_is_known_may_ask_about_themselves(people):
    for client in (people.called("jane"), await people.certified("jane")):
        assert await may(client, "create", "selfsubjectreviews", group="authentication.k8s.io")
        assert (await client.discover()) is not None
