"""What rules are estimated to cost: the numbers are those that a kube-apiserver comes to."""

from __future__ import annotations

from typing import Any

import pytest

from oneco.kube.rules import engine, sizes, soundness

TEXT = {"type": "string"}


def a_list(items: Any, most: int | None = None) -> dict[str, Any]:
    schema = {"type": "array", "items": {"type": items} if isinstance(items, str) else items}
    return schema | ({} if most is None else {"maxItems": most})


def a_map(values: Any) -> dict[str, Any]:
    inner = {"type": values} if isinstance(values, str) else values
    return {"type": "object", "additionalProperties": inner}


def a_text(most: int) -> dict[str, Any]:
    return {**TEXT, "maxLength": most}


def of_format(name: str) -> dict[str, Any]:
    return {**TEXT, "format": name}


@pytest.mark.parametrize(
    ("schema", "rule", "cost"),
    [
        (a_list("number"), "self.all(x, true)", 4718591),
        (a_list("number", 10), "self.all(x, true)", 32),
        (a_list("string"), "self.all(x, true)", 3145727),
        (a_list("boolean"), "self.all(x, true)", 1887437),
        (a_list(of_format("duration")), "self.all(x, true)", 2359295),
        (a_list(of_format("date")), "self.all(x, true)", 725936),
        (a_list(of_format("date-time")), "self.all(x, true)", 428963),
        (a_list(a_list("number")), "self[0][0] == -1.0", 3),
        (a_list("number", 10), "self.all(x, self.all(y, self.all(z, true)))", 3552),
        (a_list("string"), "self[1] == self[1]", 314577),
        (a_map("number"), "self.all(x, true)", 1348169),
        (a_map("string"), "self.all(x, true)", 1179647),
        (a_map(of_format("date")), "self.all(x, true)", 524288),
        (TEXT, "self.contains('test')", 314574),
        (a_text(10), "self.contains('test')", 5),
        (TEXT, 'size(self + "hello") > size("hello")', 314578),
        (a_text(4), 'size(self + "hello") > size("hello")', 7),
        (TEXT, 'self.matches("x")', 314574),
        (a_text(50), 'self.matches("x")', 22),
        (TEXT, 'self == "x"', 2),
        (a_text(0), 'self == "x"', 1),
        ({"type": "string", "enum": ["ab", "abcd"]}, "self + self == 'x'", 4),
    ],
)
def test_a_rule_costs_what_the_schema_lets_it_meet(schema, rule, cost):
    checker = engine.Checker(schema, is_optional=False)
    assert checker.check(rule, "BOOL", sizes.shape_of(schema)) == cost


def faults(schema: dict[str, Any], *, is_new: bool = True) -> list[tuple[str, str]]:
    found = soundness.faults(schema, "schema", is_new=is_new)
    return [(one.field, one.message.partition(" (try")[0]) for one in found]


def ruled(schema: dict[str, Any], *rules: str) -> dict[str, Any]:
    return {**schema, "x-kubernetes-validations": [{"rule": rule} for rule in rules]}


DEAR = "self.all(x, x.contains('aaaaaaaaaaaaaaaaaaaaaaaaaaaa'))"
WHERE = "schema.x-kubernetes-validations[0].rule"


def test_a_rule_beyond_the_budget_is_refused_by_how_much_it_is():
    assert faults(ruled(a_list("string", 1000), DEAR)) == [
        (WHERE, "Forbidden: estimated rule cost exceeds budget by factor of 94.4x"),
        (WHERE, "Forbidden: contributed to estimated rule cost total exceeding cost limit for "
         "entire OpenAPIv3 schema"),
        ("schema", "Forbidden: x-kubernetes-validations estimated rule cost total for entire "
         "OpenAPIv3 schema exceeds budget by factor of 9.4x"),
    ]  # fmt: skip


def test_a_rule_that_was_accepted_before_may_stay_beyond_its_own_budget():
    schema = ruled(a_list("string", 12), DEAR)
    assert len(faults(schema)) == 1
    assert faults(schema, is_new=False) == []


def test_a_rule_costs_as_often_as_its_values_can_be_there():
    inside = ruled(a_text(1000), "self.contains('aaaaaaaaaaaaaaaaaaaaaaaaaaaa')")
    assert faults(a_list(inside, 10)) == []
    (found,) = faults(a_list(inside, 9000))
    assert found[0] == "schema.items.x-kubernetes-validations[0].rule"
