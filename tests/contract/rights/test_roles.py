"""Roles and bindings: who may do what, and in which words it is refused."""

from __future__ import annotations

import pytest

from oneco.kube.api import ListOptions, Match
from oneco.kube.errors import Invalid, NotFound
from oneco.kube.refs import Address, Resource
from tests.contract.given import CONFIG_MAPS, NAMESPACES, NODES, PODS, config_map, eventually
from tests.contract.rights.people import (
    BINDINGS,
    CLUSTER_ROLES,
    RBAC,
    ROLES,
    a_group,
    a_user,
    may,
    refused,
    review,
    rule,
    to,
    until_may,
)

EVERYTHING = rule("*", "*", group="*")


async def test_who_has_no_role_is_refused_in_these_words(people, space):
    jane = people.called("jane")
    assert await refused(jane.list(Address(PODS, space))) == (
        f'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the'
        f' namespace "{space}"'
    )
    assert await refused(jane.list(Address(PODS))) == (
        'pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the'
        " cluster scope"
    )
    assert await refused(jane.get(Address(PODS, space, "x"))) == (
        f'pods "x" is forbidden: User "jane" cannot get resource "pods" in API group "" in the'
        f' namespace "{space}"'
    )
    assert await refused(jane.get(Address(PODS, space, "x", "log"))) == (
        f'pods "x" is forbidden: User "jane" cannot get resource "pods/log" in API group "" in'
        f' the namespace "{space}"'
    )
    assert await refused(jane.get(Address(NODES, "", "x"))) == (
        'nodes "x" is forbidden: User "jane" cannot get resource "nodes" in API group "" at the'
        " cluster scope"
    )


async def test_a_namespace_is_asked_for_inside_itself(people):
    jane = people.called("jane")
    assert await refused(jane.get(Address(NAMESPACES, "", "default"))) == (
        'namespaces "default" is forbidden: User "jane" cannot get resource "namespaces" in API'
        ' group "" in the namespace "default"'
    )


async def test_a_kind_that_is_not_served_is_refused_before_it_is_missed(people, space):
    at = Address(Resource("nope.example", "v1", "things"), space, "x")
    assert await refused(people.called("jane").get(at)) == (
        'things.nope.example "x" is forbidden: User "jane" cannot get resource "things" in API'
        f' group "nope.example" in the namespace "{space}"'
    )
    with pytest.raises(NotFound):
        await people.admin.get(at)


async def test_a_user_name_that_could_be_markup_is_made_harmless(people, space):
    message = await refused(people.called("a<b>&c").list(Address(PODS, space)))
    assert 'User "a&lt;b&gt;&amp;c" cannot list' in message


async def test_a_role_holds_in_its_namespace_alone(people, space):
    await people.may("jane", rule("get list create", "configmaps"))
    jane = people.called("jane")
    await until_may(jane, "get", "configmaps", space)
    await jane.create(Address(CONFIG_MAPS, space), config_map("own"))
    assert len((await jane.list(Address(CONFIG_MAPS, space))).items) >= 1
    await refused(jane.list(Address(CONFIG_MAPS, "default")))
    await refused(jane.list(Address(CONFIG_MAPS)))
    await refused(jane.delete(Address(CONFIG_MAPS, space, "own")))
    await refused(jane.list(Address(PODS, space)))


async def test_a_cluster_role_bound_in_a_namespace_holds_there_alone(people, space):
    role = people.name("reader")
    await people.make(CLUSTER_ROLES, role, rules=[rule("list", "configmaps nodes")])
    bound = {"roleRef": to("ClusterRole", role), "subjects": [a_group("readers")]}
    await people.make(BINDINGS, "readers", **bound)
    jane = people.called("jane", "readers")
    await until_may(jane, "list", "configmaps", space)
    await refused(jane.list(Address(CONFIG_MAPS, "default")))
    await refused(jane.list(Address(NODES)))


async def test_a_role_for_one_name_is_no_role_for_the_rest(people, space):
    await people.may("jane", rule("get list watch update", "configmaps", names="one"))
    jane = people.called("jane")
    await people.admin.create(Address(CONFIG_MAPS, space), config_map("one"))
    await until_may(jane, "get", "configmaps", space, name="one")
    only = ListOptions(match=Match(fields="metadata.name=one"))
    assert len((await jane.list(Address(CONFIG_MAPS, space), only)).items) == 1
    await refused(jane.get(Address(CONFIG_MAPS, space, "on")))
    await refused(jane.get(Address(CONFIG_MAPS, space, "one-2")))
    await refused(jane.list(Address(CONFIG_MAPS, space)))
    other = ListOptions(match=Match(fields="metadata.name!=one"))
    await refused(jane.list(Address(CONFIG_MAPS, space), other))


@pytest.mark.parametrize(
    ("granted", "resource", "subresource", "expected"),
    [
        ("deployments", "deployments", "", True),
        ("deployments", "deployments", "scale", False),
        ("deployments/scale", "deployments", "scale", True),
        ("deployments/scale", "deployments", "", False),
        ("*/scale", "deployments", "scale", True),
        ("*/scale", "deployments", "status", False),
        ("*/scale", "deployments", "", False),
        ("*", "deployments", "scale", True),
        ("deployments/*", "deployments", "scale", False),
        ("Deployments", "deployments", "", False),
    ],
)
async def test_subresources_are_granted_by_name(
    people, space, granted, resource, subresource, expected
):
    await people.may("jane", rule("get", granted, group="apps"), rule("get", "pods"))
    jane = people.called("jane")
    await until_may(jane, "get", "pods", space)
    asked = {"group": "apps", "subresource": subresource}
    assert await may(jane, "get", resource, space, **asked) is expected


async def test_paths_are_granted_with_what_follows_a_star(people):
    rules = [{"verbs": ["get"], "nonResourceURLs": ["/metrics", "/debug/*"]}, rule("get", "nodes")]
    await people.may_everywhere("ines", *rules)
    ines = people.called("ines")
    await until_may(ines, "get", "nodes")

    async def may_path(path: str, verb: str = "get") -> bool:
        attributes = {"path": path, "verb": verb}
        status = await review(ines, "SelfSubjectAccessReview", nonResourceAttributes=attributes)
        return bool(status["allowed"])

    assert await may_path("/metrics")
    assert await may_path("/debug/pprof/heap")
    assert await may_path("/apis/apps/v1")
    assert not await may_path("/metrics/cadvisor")
    assert not await may_path("/debug")
    assert not await may_path("/metrics", "post")


async def test_a_binding_to_a_role_that_is_gone_is_named_in_the_refusal(people, space):
    await people.make(ROLES, "there", rules=[rule("get", "configmaps")])
    for name in ("there", "gone"):
        bound = {"roleRef": to("Role", name), "subjects": [a_user("jane")]}
        await people.make(BINDINGS, name, **bound)
    jane = people.called("jane")
    await until_may(jane, "get", "configmaps", space)
    fault = f'role.{RBAC} "gone" not found'

    async def is_named() -> bool:
        return (await refused(jane.list(Address(PODS, space)))).endswith(f": RBAC: {fault}")

    await eventually(is_named)
    asked = {"verb": "list", "resource": "pods", "namespace": space}
    status = await review(jane, "SelfSubjectAccessReview", resourceAttributes=asked)
    assert status == {"allowed": False, "reason": f"RBAC: {fault}"}


async def test_a_review_says_by_which_binding_something_is_allowed(people, space):
    await people.make(ROLES, "reader", rules=[rule("get", "configmaps")])
    subjects = [{"kind": "ServiceAccount", "name": "robot", "namespace": space}, a_group("crew")]
    await people.make(BINDINGS, "all", roleRef=to("Role", "reader"), subjects=subjects)
    asked = {"verb": "get", "resource": "configmaps", "namespace": space}
    who = {"user": f"system:serviceaccount:{space}:robot", "resourceAttributes": asked}

    async def is_allowed() -> bool:
        status = await review(people.admin, "SubjectAccessReview", **who)
        return bool(status["allowed"])

    await eventually(is_allowed)
    status = await review(people.admin, "SubjectAccessReview", **who)
    start = f'RBAC: allowed by RoleBinding "all/{space}" of Role "reader" to'
    assert status["reason"] == f'{start} ServiceAccount "robot/{space}"'
    crew = {"user": "x", "groups": ["crew"], "resourceAttributes": asked}
    status = await review(people.admin, "LocalSubjectAccessReview", space, **crew)
    assert status == {"allowed": True, "reason": f'{start} Group "crew"'}
    masters = {"groups": ["system:masters"], "resourceAttributes": asked}
    assert await review(people.admin, "SubjectAccessReview", **masters) == {"allowed": True}


@pytest.mark.parametrize(
    ("kind", "spec", "message"),
    [
        (
            "SelfSubjectAccessReview",
            {},
            "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or"
            " resourceAttributes must be specified",
        ),
        (
            "SelfSubjectAccessReview",
            {"resourceAttributes": {"verb": "get"}, "nonResourceAttributes": {"path": "/x"}},
            'spec.nonResourceAttributes: Invalid value: {"Path":"/x","Verb":""}: cannot be'
            " specified in combination with resourceAttributes",
        ),
        (
            "SubjectAccessReview",
            {"resourceAttributes": {"verb": "get"}},
            'spec.user: Invalid value: "": at least one of user or group must be specified',
        ),
        (
            "LocalSubjectAccessReview",
            {"user": "x", "resourceAttributes": {"namespace": "other"}},
            'spec.resourceAttributes.namespace: Invalid value: "other": must match'
            " metadata.namespace",
        ),
        (
            "LocalSubjectAccessReview",
            {"user": "x", "nonResourceAttributes": {"path": "/x", "verb": "get"}},
            'spec.nonResourceAttributes: Invalid value: {"Path":"/x","Verb":"get"}: disallowed on'
            " this kind of request",
        ),
    ],
)
async def test_a_review_that_asks_nothing_is_invalid(people, space, kind, spec, message):
    with pytest.raises(Invalid) as refusal:
        await review(people.admin, kind, space if kind.startswith("Local") else "", **spec)
    assert refusal.value.message == f'.authorization.k8s.io "" is invalid: {message}'


async def test_a_rules_review_lists_what_one_may_do(people, space):
    await people.may("jane", rule("get", "configmaps", names="one"), rule("*", "*", group="apps"))
    jane = people.called("jane")
    await until_may(jane, "get", "deployments", space, group="apps")
    status = await review(jane, "SelfSubjectRulesReview", namespace=space)
    assert rule("get", "configmaps", names="one") in status["resourceRules"]
    assert rule("*", "*", group="apps") in status["resourceRules"]
    everybody = {
        "verbs": ["create"],
        "apiGroups": ["authentication.k8s.io"],
        "resources": ["selfsubjectreviews"],
    }
    assert everybody in status["resourceRules"]
    assert any("/apis/*" in one["nonResourceURLs"] for one in status["nonResourceRules"])
    assert status["incomplete"] is False
    elsewhere = await review(jane, "SelfSubjectRulesReview", namespace="default")
    assert rule("*", "*", group="apps") not in elsewhere["resourceRules"]
