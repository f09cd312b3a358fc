"""CEL rules in definitions: what they refuse, how they say it, and which are refused themselves."""

from __future__ import annotations

from typing import Any

from tests.real.differential.comparing import compare_literally
from tests.real.differential.custom import DEFINITIONS, definition, resource_of, served
from tests.real.differential.rule_costs import DEAR
from tests.real.differential.rule_table import BAD, CHANGES, VALUES
from tests.real.differential.steps import NAME, Case, Step


def schema_of(rows):
    """One schema in which each row is a property of `spec`."""
    properties = {f"p{number}": schema for number, (schema, *_) in enumerate(rows)}
    spec = {"type": "object", "properties": properties}
    return {"type": "object", "properties": {"spec": spec, "status": {"type": "object"}}}


def thing(crd, spec, **more) -> Any:
    group = crd["spec"]["group"]
    meta = {"name": NAME, **more}
    return {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": meta, "spec": spec}


def test_rules_hold_for_the_same_values(pair):
    crd = definition(schema_of(VALUES))
    cases = [
        Case(resource_of(crd), [Step("create", thing(crd, {f"p{number}": value}))])
        for number, (_, values) in enumerate(VALUES)
        for value in values
    ]
    with served(pair, crd):
        compare_literally(pair, "CEL rules, values", cases)


def test_rules_hold_for_the_same_changes(pair):
    crd = definition(schema_of(CHANGES))
    cases = [
        Case(
            resource_of(crd),
            [
                Step("create", thing(crd, {f"p{number}": before} if before is not None else {})),
                Step("replace", thing(crd, {f"p{number}": after}), is_current=True),
                Step("merge", {"metadata": {"labels": {"x": "y"}}}),
            ],
        )
        for number, (_, changes) in enumerate(CHANGES)
        for before, after in changes
    ]
    with served(pair, crd):
        compare_literally(pair, "CEL rules, changes", cases)


def test_bad_rules_are_refused_alike(pair):
    compare_literally(pair, "CEL rules, bad ones", definitions(BAD))


def test_rules_that_are_too_dear_are_refused_alike(pair):
    compare_literally(pair, "CEL rules, dear ones", definitions(DEAR))


def definitions(schemas):
    """Trying to define a kind for each schema."""
    cases = []
    for number, schema in enumerate(schemas):
        crd = definition(schema_of([(schema,)]), group=f"try{number}.example.io")
        cases.append(Case(DEFINITIONS, [Step("create", crd, {"dry_run": True})], False))
    return cases
