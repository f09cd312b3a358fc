"""What is wrong with the rules of a definition, before any object is held against them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from oneco.kube import causes
from oneco.kube.errors import Cause
from oneco.kube.rules import bounds, engine, sizes
from oneco.kube.rules.budget import Budget
from oneco.kube.rules.fields import Schema, with_identity
from oneco.kube.rules.paths import field_path

_KEY: Final = "x-kubernetes-validations"
_REASONS: Final = (
    "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired",
)  # fmt: skip


def faults(schema: Schema, path: str, *, is_new: bool = True) -> Iterator[Cause]:
    """What is wrong with the rules in `schema`, which stands at `path`.

    A single rule may cost too much in a schema that is not new: it was accepted before.
    """
    budget = Budget(is_new)
    yield from _faults(schema, path, _Where(is_root=True), budget)
    yield from budget.faults(path)


class _Where(NamedTuple):
    """Where in the whole a schema stands."""

    is_root: bool = False
    lost: str = ""
    """The place above which items cannot be told from those that were there before."""
    most: int | None = 1
    """How often such a value can be there; None where nothing limits it."""

    def below(self, schema: Schema, lost: str = "") -> _Where:
        """Where the parts of `schema`, which stands here, are."""
        return _Where(False, lost or self.lost, _most_parts(self.most, schema))


def _most_parts(most: int | None, schema: Schema) -> int | None:
    kind = schema.get("type")
    if kind == "array":
        limit = schema.get("maxItems")
    elif kind == "object" and schema.get("additionalProperties") is not None:
        limit = schema.get("maxProperties")
    else:
        limit = 1
    return None if most is None or limit is None else bounds.times(most, max(limit, 0))


def _faults(schema: Schema, path: str, where: _Where, budget: Budget) -> Iterator[Cause]:
    given = schema.get(_KEY) or ()
    shape = [
        cause for number, rule in enumerate(given) for cause in _shape(rule, number, schema, path)
    ]
    inner = where.below(schema)
    for name, part in (schema.get("properties") or {}).items():
        yield from _faults(part, f"{path}.properties[{name}]", inner, budget)
    values, items = schema.get("additionalProperties"), schema.get("items")
    if isinstance(values, Mapping):
        yield from _faults(values, f"{path}.additionalProperties", inner, budget)
    if isinstance(items, Mapping):
        is_told = schema.get("x-kubernetes-list-type") == "map"
        here = where.below(schema, where.lost or ("" if is_told else path))
        yield from _faults(items, f"{path}.items", here, budget)
    yield from shape
    if given and not shape:
        seen = with_identity(schema) if where.is_root else schema
        size = sizes.shape_of(schema, is_root=where.is_root)
        for number, rule in enumerate(given):
            place = _Place(seen, size, f"{path}.{_KEY}[{number}]", where)
            yield from _meaning(rule, place, budget)


def _shape(rule: Mapping[str, Any], number: int, schema: Schema, path: str) -> Iterator[Cause]:
    where = f"{path}.{_KEY}[{number}]"
    text, message = rule.get("rule") or "", rule.get("message") or ""
    if not text.strip():
        yield causes.required(f"{where}.rule", "rule is not specified")
    elif message and not message.strip():
        yield causes.invalid(f"{where}.message", message, "must be non-empty if specified")
    elif _has_breaks(message.strip()):
        yield causes.invalid(f"{where}.message", message, "must not contain line breaks")
    elif _has_breaks(text.strip()) and not message.strip():
        words = "message must be specified if rule contains line breaks"
        yield causes.required(f"{where}.message", words)
    expression = rule.get("messageExpression") or ""
    if expression and not expression.strip():
        words = "messageExpression must be non-empty if specified"
        yield causes.required(f"{where}.messageExpression", words)
    reason = rule.get("reason")
    if reason is not None and reason not in _REASONS:
        yield causes.unsupported(f"{where}.reason", reason, _REASONS)
    yield from _pointed(rule.get("fieldPath") or "", schema, f"{where}.fieldPath")


def _pointed(text: str, schema: Schema, where: str) -> Iterator[Cause]:
    if not text:
        return
    if not text.strip():
        yield causes.invalid(where, text, "must be non-empty if specified")
    if _has_breaks(text):
        yield causes.invalid(where, text, "must not contain line breaks")
    try:
        field_path(text, schema)
    except ValueError:
        yield causes.invalid(where, text, "must be a valid path")


def _has_breaks(text: str) -> bool:
    return "\n" in text or "\r" in text


class _Place(NamedTuple):
    """The place of a rule: the schema as the rule sees it, and what its values can come to."""

    schema: Schema
    size: sizes.Shape | None
    path: str
    where: _Where

    def total(self, cost: int) -> int:
        """What a rule that costs so much comes to on all values there can be."""
        most = self.where.most
        if most is None:
            most = self.size.most_in_a_request if self.size is not None else 1
        return bounds.times(cost, most)


def _meaning(rule: Mapping[str, Any], place: _Place, budget: Budget) -> Iterator[Cause]:
    text, where, lost = rule["rule"], place.path, place.where.lost
    checker = engine.Checker(place.schema, is_optional=bool(rule.get("optionalOldSelf")))
    shown = _as_go_shows(rule)
    try:
        cost = checker.check(text, "BOOL", place.size)
    except engine.Unsound as fault:
        words = f"compilation failed: {fault.words}" if fault.words else _NO_BOOL
        yield causes.invalid(f"{where}.rule", shown, words)
        yield from _unused(rule, where)
        return
    yield from budget.spend(f"{where}.rule", "estimated rule cost", place.total(cost))
    expression = rule.get("messageExpression")
    if expression:
        try:
            cost = checker.check(expression, "STRING", place.size)
        except engine.Unsound as fault:
            words = f"messageExpression compilation failed: {fault.words}"
            words = words if fault.words else _NO_STRING
            yield causes.invalid(f"{where}.messageExpression", shown, words)
        else:
            field = f"{where}.messageExpression"
            yield from budget.spend(field, "estimated messageExpression cost", cost)
    if checker.uses_old(text):
        if lost:
            words = (
                f"oldSelf cannot be used on the uncorrelatable portion of the schema within {lost}"
            )
            yield causes.invalid(f"{where}.rule", text, words)
    else:
        yield from _unused(rule, where)


def _unused(rule: Mapping[str, Any], where: str) -> Iterator[Cause]:
    if rule.get("optionalOldSelf") is not None:
        words = "may not be set if oldSelf is not used in rule"
        yield causes.invalid(f"{where}.optionalOldSelf", rule["optionalOldSelf"], words)


def _as_go_shows(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "Rule": rule["rule"],
        "Message": rule.get("message") or "",
        "MessageExpression": rule.get("messageExpression") or "",
        "Reason": rule.get("reason"),
        "FieldPath": rule.get("fieldPath") or "",
        "OptionalOldSelf": rule.get("optionalOldSelf"),
    }


_NO_BOOL: Final = "cel expression must evaluate to a bool"
_NO_STRING: Final = "messageExpression must evaluate to a string"
