"""What roles and bindings allow, and what of them may be granted on."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from oneco.kube import escalation, rbac
from oneco.kube.objects import Object
from oneco.kube.rbac import Asked, RoleBook, Rules, User

JANE = User("jane", ("devs", "system:authenticated"))
WORDS = ("a", "b", "*")
RESOURCES = ("a", "b", "*", "a/x", "b/y", "*/x")


def a_role(name: str, *rules: Object, namespace: str = "", **parts: Any) -> Object:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    kind = "Role" if namespace else "ClusterRole"
    return {"kind": kind, "metadata": metadata, "rules": list(rules), **parts}


def a_binding(name: str, role: Object | str, *subjects: Object, namespace: str = "") -> Object:
    kind = "ClusterRole" if isinstance(role, str) else role["kind"]
    role_name = role if isinstance(role, str) else role["metadata"]["name"]
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": metadata,
        "roleRef": {"kind": kind, "name": role_name},
        "subjects": list(subjects),
    }


def subject(kind: str, name: str, **more: str) -> Object:
    return {"kind": kind, "name": name, **more}


def a_rule(verbs="get", groups="", resources="pods", **more) -> Object:
    split = [list(text.split(",")) for text in (verbs, groups, resources)]
    return dict(zip(("verbs", "apiGroups", "resources"), split, strict=True)) | more


def a_book(*parts: Object) -> RoleBook:
    book = RoleBook()
    for part in parts:
        book.put(part)
    return book


def test_nobody_may_do_anything_without_a_binding():
    book = a_book(a_role("all", a_rule("*", "*", "*")))
    assert book.verdict(JANE, Asked("get", "", "pods")) == (False, "")


def test_who_is_of_the_masters_may_do_everything():
    assert a_book().verdict(User("x", ("system:masters",)), Asked("delete", "", "nodes")) == (
        True,
        "",
    )


def test_a_verdict_names_the_binding_that_it_rests_on():
    role = a_role("reader", a_rule(), namespace="shop")
    crew = [subject("User", "bob"), subject("Group", "devs"), subject("User", "jane")]
    book = a_book(role, a_binding("crew", role, *crew, namespace="shop"))
    assert book.verdict(JANE, Asked("get", "", "pods", "", "shop")) == (
        True,
        'RBAC: allowed by RoleBinding "crew/shop" of Role "reader" to Group "devs"',
    )


def test_the_bindings_of_the_cluster_are_asked_before_those_of_a_namespace():
    role = a_role("reader", a_rule())
    book = a_book(
        role,
        a_binding("local", role, subject("User", "jane"), namespace="shop"),
        a_binding("wide", role, subject("User", "jane")),
    )
    reason = 'RBAC: allowed by ClusterRoleBinding "wide" of ClusterRole "reader" to User "jane"'
    assert book.verdict(JANE, Asked("get", "", "pods", "", "shop")).reason == reason


def test_an_account_is_meant_by_its_namespace_which_may_be_left_out_in_it():
    role = a_role("reader", a_rule(), namespace="shop")
    own = a_binding("own", role, subject("ServiceAccount", "robot"), namespace="shop")
    book = a_book(role, own)
    asked = Asked("get", "", "pods", "", "shop")
    robot = User("system:serviceaccount:shop:robot")
    assert book.verdict(robot, asked).reason.endswith('to ServiceAccount "robot/shop"')
    assert not book.verdict(User("system:serviceaccount:other:robot"), asked).is_allowed
    assert not book.verdict(User("robot"), asked).is_allowed


def test_a_user_is_no_group_and_a_group_no_user():
    role = a_role("reader", a_rule())
    book = a_book(role, a_binding("b", role, subject("User", "devs"), subject("Group", "jane")))
    assert not book.verdict(JANE, Asked("get", "", "pods")).is_allowed


def test_roles_that_are_missing_are_named_together():
    book = a_book(
        a_binding("b1", "gone", subject("User", "jane")),
        a_binding("b2", "away", subject("User", "jane")),
    )
    assert book.verdict(JANE, Asked("get", "", "pods")) == (
        False,
        'RBAC: [clusterrole.rbac.authorization.k8s.io "gone" not found,'
        ' clusterrole.rbac.authorization.k8s.io "away" not found]',
    )


def test_a_change_holds_at_once():
    role = a_role("reader", a_rule())
    binding = a_binding("b", role, subject("User", "jane"))
    book = a_book(role, binding)
    asked = Asked("get", "", "pods")
    assert book.verdict(JANE, asked).is_allowed
    book.put(a_role("reader", a_rule("list")))
    assert not book.verdict(JANE, asked).is_allowed
    book.put(role)
    assert book.verdict(JANE, asked).is_allowed
    book.put(a_binding("b", role, subject("User", "bob")))
    assert not book.verdict(JANE, asked).is_allowed
    book.put(binding)
    book.remove(binding)
    assert not book.verdict(JANE, asked).is_allowed


@pytest.mark.parametrize(
    ("granted", "path", "expected"),
    [
        ("/a", "/a", True),
        ("/a", "/a/", False),
        ("/a/*", "/a/b/c", True),
        ("/a/*", "/a", False),
        ("/a*", "/ab", True),
        ("*", "/anything", True),
        ("/a**", "/ab", True),
    ],
)
def test_a_star_at_the_end_of_a_path_stands_for_what_follows(granted, path, expected):
    rule = {"verbs": ["get"], "nonResourceURLs": [granted]}
    assert rbac.allows(rule, Asked("get", path=path)) is expected


def test_a_rule_about_resources_says_nothing_of_paths_and_the_other_way_round():
    assert not rbac.allows(a_rule("*", "*", "*"), Asked("get", path="/metrics"))
    assert not rbac.allows({"verbs": ["*"], "nonResourceURLs": ["*"]}, Asked("get", "", "pods"))


def words(values, least: int = 1):
    return some.lists(some.sampled_from(values), min_size=least, max_size=2, unique=True)


rules = some.one_of(
    some.fixed_dictionaries(
        {"verbs": words(WORDS), "apiGroups": words(WORDS), "resources": words(RESOURCES)},
        optional={"resourceNames": words(("n", "m"))},
    ),
    some.fixed_dictionaries(
        {"verbs": words(WORDS), "nonResourceURLs": words(("/a", "/a/*", "*", "/a/b"))}
    ),
)
anything = [
    *(
        Asked(verb, group, *resource, name=name)
        for verb in ("a", "b", "c")
        for group in ("a", "b", "c")
        for resource in (("a", ""), ("b", ""), ("a", "x"), ("b", "y"), ("c", "x"))
        for name in ("", "n", "m", "o")
    ),
    *(Asked(verb, path=path) for verb in ("a", "b", "c") for path in ("/a", "/a/b", "/a/c", "/x")),
]


@given(held=some.lists(rules, max_size=3), granted=some.lists(rules, max_size=3))
def test_what_is_covered_lets_nobody_do_more(held, granted):
    missing = escalation.uncovered(held, granted)
    for asked in anything:
        if any(rbac.allows(rule, asked) for rule in granted):
            by_held = any(rbac.allows(rule, asked) for rule in held)
            by_missing = any(rbac.allows(rule, asked) for rule in missing)
            # Whatever is not ours already is in what would be refused.
            assert by_held or by_missing, asked


@given(granted=some.lists(rules, max_size=4))
def test_everybody_may_grant_what_is_theirs_and_a_master_everything(granted):
    assert escalation.uncovered(granted, granted) == []
    assert escalation.uncovered(escalation.EVERYTHING, granted) == []
    assert escalation.fault(JANE, Rules(tuple(granted)), granted, "roles") == ""


people = some.sampled_from(
    [
        subject("User", "jane"),
        subject("Group", "devs"),
        subject("ServiceAccount", "r", namespace="n"),
    ]
)
places = some.sampled_from(["", "n", "m"])


@some.composite
def roles_and_bindings(draw) -> Object:
    name, namespace = draw(some.sampled_from(("x", "y"))), draw(places)
    if draw(some.booleans()):
        return a_role(name, *draw(some.lists(rules, max_size=2)), namespace=namespace)
    kind = draw(some.sampled_from(("Role", "ClusterRole"))) if namespace else "ClusterRole"
    target = {"kind": kind, "metadata": {"name": draw(some.sampled_from(("x", "y", "z")))}}
    return a_binding(name, target, *draw(some.lists(people, max_size=2)), namespace=namespace)


@given(steps=some.lists(some.tuples(some.booleans(), roles_and_bindings()), max_size=12))
def test_a_book_that_was_changed_is_as_one_that_was_written_anew(steps):
    book, present = RoleBook(), {}
    for is_put, obj in steps:
        place = (obj["kind"], obj["metadata"].get("namespace"), obj["metadata"]["name"])
        if is_put:
            present[place] = obj
            book.put(obj)
        elif place in present:
            book.remove(present.pop(place))
        # Asked in between, so that what is remembered could be wrong.
        book.verdict(JANE, Asked("a", "a", "a", "", "n"))
    fresh = a_book(*present.values())
    for user in (JANE, User("system:serviceaccount:n:r"), User("bob", ("devs",))):
        for namespace in ("", "n", "m"):
            for asked in (
                Asked("a", "a", "a", "", namespace),
                Asked("b", "b", "b", "y", namespace),
            ):
                assert book.verdict(user, asked) == fresh.verdict(user, asked)
                assert book.is_allowed(user, asked) == book.verdict(user, asked).is_allowed
            assert book.rules(user, namespace) == fresh.rules(user, namespace)


def test_a_role_made_of_others_holds_their_rules_once_in_the_order_of_their_names():
    made = {"clusterRoleSelectors": [{"matchLabels": {"for": "sum"}}]}
    role = a_role("sum", aggregationRule=made)

    def part(name: str, *held: Object) -> Object:
        found = a_role(name, *held)
        return {**found, "metadata": {**found["metadata"], "labels": {"for": "sum"}}}

    first, second = a_rule("get"), a_rule("list")
    others = [part("b", second), part("a", first, second), a_role("c", a_rule("watch"))]
    assert rbac.aggregated(role, [*others, role]) == [first, second]
    assert rbac.aggregated(others[0], others) is None
    assert rbac.is_chosen(role, others[0])
    assert not rbac.is_chosen(role, others[2])
