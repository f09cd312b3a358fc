"""Rules in CEL: what a definition may say about its objects beyond their types."""

import uuid
from typing import Any

import pytest

from oneco.kube.api import Patch, WriteOptions
from oneco.kube.errors import Invalid
from oneco.kube.refs import Address, Resource
from tests.contract.given import DEFINITIONS, eventually, is_gone

SPEC: dict[str, Any] = {
    "type": "object",
    "properties": {
        "least": {"type": "integer"},
        "most": {"type": "integer"},
        "storage": {
            "type": "string",
            "maxLength": 20,
            "x-kubernetes-validations": [
                {"rule": "self == oldSelf", "message": "cannot be changed"},
                {"rule": "isQuantity(self) && quantity(self).isGreaterThan(quantity('0'))"},
            ],
        },
        "address": {
            "type": "string",
            "maxLength": 100,
            "x-kubernetes-validations": [
                {
                    "rule": "isURL(self) && url(self).getScheme() in ['http', 'https']",
                    "messageExpression": "'no address: ' + self",
                }
            ],
        },
        "parts": {
            "type": "array",
            "maxItems": 5,
            "items": {"type": "string", "maxLength": 20},
            "x-kubernetes-validations": [
                {"rule": "self.isSorted()", "reason": "FieldValueForbidden"}
            ],
        },
    },
    "x-kubernetes-validations": [
        {
            "rule": "!has(self.least) || !has(self.most) || self.least <= self.most",
            "message": "least is more than most",
            "fieldPath": ".least",
        }
    ],
}


def definition(group, spec):
    schema = {"type": "object", "properties": {"spec": spec}}
    names = {"plural": "ruleds", "singular": "ruled", "kind": "Ruled", "listKind": "RuledList"}
    version = {
        "name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema},
    }  # fmt: skip
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"ruleds.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }


@pytest.fixture
def ruleds(api, space, runner):
    """Where objects with rules live."""
    group = f"g{uuid.uuid4().hex[:8]}.example.io"
    at = Address(DEFINITIONS, name=f"ruleds.{group}")
    runner.run(api.create(at._replace(name=""), definition(group, SPEC)))

    async def is_served():
        return any(one.resource.group == group for one in await api.discover())

    runner.run(eventually(is_served))
    yield Address(Resource(group, "v1", "ruleds"), space)
    runner.run(api.delete(at))
    runner.run(eventually(lambda: is_gone(api, at)))


def ruled(at, **spec):
    kind = f"{at.resource.group}/v1"
    return {"apiVersion": kind, "kind": "Ruled", "metadata": {"name": "a"}, "spec": spec}


def said(refused):
    return [(one.field, one.message, one.reason) for one in refused.value.causes]


async def test_an_object_that_keeps_the_rules_is_stored(api, ruleds):
    spec = {"least": 1, "most": 2, "storage": "1Gi", "address": "https://a.example/x"}
    assert (await api.create(ruleds, ruled(ruleds, **spec)))["spec"] == spec


@pytest.mark.parametrize(
    ("spec", "cause"),
    [
        (
            {"least": 2, "most": 1},
            ("spec.least", "Invalid value: least is more than most", "FieldValueInvalid"),
        ),
        (
            {"address": "ftp://a.example"},
            (
                "spec.address",
                'Invalid value: "ftp://a.example": no address: ftp://a.example',
                "FieldValueInvalid",
            ),
        ),
        (
            {"storage": "-1"},
            (
                "spec.storage",
                'Invalid value: "-1": failed rule: isQuantity(self) && '
                "quantity(self).isGreaterThan(quantity('0'))",
                "FieldValueInvalid",
            ),
        ),
        (
            {"parts": ["b", "a"]},
            ("spec.parts", "Forbidden: failed rule: self.isSorted()", "FieldValueForbidden"),
        ),
    ],
)
async def test_a_breach_is_refused_at_its_place_in_the_words_of_the_rule(api, ruleds, spec, cause):
    with pytest.raises(Invalid) as refused:
        await api.create(ruleds, ruled(ruleds, **spec))
    assert said(refused) == [cause]


async def test_a_rule_about_a_change_is_asked_when_there_is_one(api, ruleds):
    at = ruleds._replace(name="a")
    await api.create(ruleds, ruled(ruleds, storage="1Gi"))
    with pytest.raises(Invalid) as refused:
        await api.patch(at, Patch("merge", {"spec": {"storage": "2Gi"}}))
    words = 'Invalid value: "2Gi": cannot be changed'
    assert said(refused) == [("spec.storage", words, "FieldValueInvalid")]
    await api.patch(at, Patch("merge", {"spec": {"most": 3}}))


async def test_rules_are_not_asked_about_values_of_the_wrong_type(api, ruleds):
    with pytest.raises(Invalid) as refused:
        await api.create(ruleds, ruled(ruleds, least="x"))
    assert said(refused)[-1] == (
        "<nil>",
        "Invalid value: null: some validation rules were not checked because the object was "
        "invalid; correct the existing errors to complete validation",
        "FieldValueInvalid",
    )


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("self.wide > 1", "undefined field 'wide'"),
        ("self.least > 'a'", "found no matching overload for '_>_' applied to '(int, string)'"),
        ("self.least >", "Syntax error"),
        ("self.least", "cel expression must evaluate to a bool"),
    ],
)
async def test_a_definition_with_a_rule_that_means_nothing_is_refused(api, rule, words):
    spec = {**SPEC, "x-kubernetes-validations": [{"rule": rule}]}
    group = f"g{uuid.uuid4().hex[:8]}.example.io"
    with pytest.raises(Invalid) as refused:
        await api.create(Address(DEFINITIONS), definition(group, spec))
    [cause] = refused.value.causes
    where = "spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule"
    assert cause.field == where
    assert words in cause.message


async def test_items_without_keys_have_no_past(api):
    items = {"type": "integer", "x-kubernetes-validations": [{"rule": "self >= oldSelf"}]}
    spec = {"type": "object", "properties": {"list": {"type": "array", "items": items}}}
    group = f"g{uuid.uuid4().hex[:8]}.example.io"
    with pytest.raises(Invalid, match="uncorrelatable portion of the schema"):
        await api.create(Address(DEFINITIONS), definition(group, spec))


async def test_a_rule_that_may_cost_too_much_is_refused_with_its_definition(api):
    rule = {"rule": "self.all(x, self.exists(y, x == y))"}
    group = f"g{uuid.uuid4().hex[:8]}.example.io"
    texts: dict[str, Any] = {
        "type": "array",
        "items": {"type": "string"},
        "x-kubernetes-validations": [rule],
    }
    with pytest.raises(Invalid, match="estimated rule cost exceeds budget by factor of more than"):
        await api.create(Address(DEFINITIONS), definition(group, texts))
    texts |= {"maxItems": 100, "items": {"type": "string", "maxLength": 20}}
    options = WriteOptions(dry_run=True)
    await api.create(Address(DEFINITIONS), definition(group, texts), options)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("self.storage.matches('(')", "invalid matches argument"),
        ("duration('x') > duration('1s')", "invalid duration argument"),
        ("timestamp('today') > timestamp('2020-01-01T00:00:00Z')", "invalid timestamp argument"),
        ("self.least in [1, 'a']", "expected type 'int' but found 'string'"),
    ],
)
async def test_a_rule_with_a_literal_that_means_nothing_is_refused(api, rule, words):
    spec = {**SPEC, "x-kubernetes-validations": [{"rule": rule}]}
    group = f"g{uuid.uuid4().hex[:8]}.example.io"
    with pytest.raises(Invalid, match=words):
        await api.create(Address(DEFINITIONS), definition(group, spec))
