"""Evaluating the rules of a schema on an object, and what a breach is called."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Final

from oneco.kube import causes
from oneco.kube.errors import Cause
from oneco.kube.objects import Json
from oneco.kube.rules import engine, values
from oneco.kube.rules.fields import Schema, with_identity
from oneco.kube.rules.paths import field_path

_LONGEST_MESSAGE: Final = 5 * 1024
_MISSING: Final = object()


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """One rule, ready to be asked."""

    given: Mapping[str, Any]
    program: engine.Program
    message: engine.Program | None
    uses_old: bool
    path: str

    @property
    def is_optional(self) -> bool:
        """Whether it is asked although nothing was there before."""
        return bool(self.given.get("optionalOldSelf"))


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """The rules at one place of a schema and below it."""

    schema: Schema
    """The schema as the rules see it."""
    rules: tuple[Rule, ...]
    properties: Mapping[str, Place]
    values: Place | None
    items: Place | None
    alternatives: tuple[Place, ...] = ()


def place_of(schema: Schema, *, is_root: bool = False) -> Place | None:
    """The rules of `schema`, which all compile; None if it has none."""
    seen = with_identity(schema) if is_root else schema
    rules = tuple(_ready(seen, one) for one in schema.get("x-kubernetes-validations") or ())
    below = {name: place_of(part) for name, part in (schema.get("properties") or {}).items()}
    properties = {name: part for name, part in below.items() if part is not None}
    inner = [
        place_of(part) if isinstance(part, Mapping) else None
        for part in (schema.get("additionalProperties"), schema.get("items"))
    ]
    if not rules and not properties and not any(inner):
        return None
    return Place(seen, rules, properties, inner[0], inner[1])


def root_of(schema: Schema) -> Place | None:
    """The rules of the schema of a whole kind."""
    return place_of(schema, is_root=True)


def _ready(schema: Schema, given: Mapping[str, Any]) -> Rule:
    is_optional = bool(given.get("optionalOldSelf"))
    text = given["rule"]
    message = given.get("messageExpression")
    path = given.get("fieldPath")
    checker = engine.Checker(schema, is_optional=is_optional) if "oldSelf" in text else None
    return Rule(
        given,
        engine.program(text, is_optional=is_optional),
        engine.program(message, is_optional=False) if message else None,
        checker is not None and checker.uses_old(text),
        field_path(path, schema) if path else "",
    )


def breaches(place: Place, value: Json, old: Json, path: str = "") -> Iterator[Cause]:
    """What the rules refuse about `value`, which replaces `old` (None: nothing was there)."""
    yield from _breaches(place, value, old, path, same=False)


def _breaches(place: Place, value: Json, old: Json, path: str, *, same: bool) -> Iterator[Cause]:
    if value is None:
        return
    # What did not change is not refused for what a rule says about it alone.
    same = same or (old is not None and value == old)
    if place.rules:
        yield from _asked(place, value, old, path, same=same)
    if isinstance(value, Mapping):
        before = old if isinstance(old, Mapping) else {}
        for key, part in value.items():
            inner, where = _below(place, key, path)
            if inner is not None:
                yield from _breaches(inner, part, before.get(key), where, same=same)
    elif isinstance(value, list) and place.items is not None:
        for number, item in enumerate(value):
            earlier = _counterpart(place.schema, item, old)
            yield from _breaches(place.items, item, earlier, f"{path}[{number}]", same=same)


def _below(place: Place, key: str, path: str) -> tuple[Place | None, str]:
    inner = place.properties.get(key)
    if inner is not None:
        return inner, f"{path}.{key}" if path else key
    return place.values, f"{path}[{key}]"


def _counterpart(schema: Schema, item: Json, old: Json) -> Json:
    """The item of the list before that has the same keys."""
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    if schema.get("x-kubernetes-list-type") != "map" or not isinstance(item, Mapping):
        return None
    for one in old if isinstance(old, list) else ():
        if isinstance(one, Mapping) and all(one.get(key) == item.get(key) for key in keys):
            return one
    return None


def _asked(place: Place, value: Json, old: Json, path: str, *, same: bool) -> Iterator[Cause]:
    now = values.seen(value, place.schema)
    before = None if old is None else values.seen(old, place.schema)
    kind = str(place.schema.get("type") or "")
    for rule in place.rules:
        if rule.uses_old and old is None and not rule.is_optional:
            continue
        try:
            holds = rule.program(now, before)
        except engine.Failed as failure:
            yield causes.invalid(path or "<nil>", kind, _words(failure.words, rule))
            continue
        if holds is not True and (rule.uses_old or not same):
            where = ".".join(filter(None, (path, rule.path)))
            yield _breach(rule, where, value, _message(rule, now, before))


def _words(words: str, rule: Rule) -> str:
    text = _shown(rule)
    if words.startswith("no such overload"):
        return (
            f"'{words}': call arguments did not match a supported operator, function or macro "
            f"signature for rule: {text}"
        )
    if words.startswith("operation cancelled"):
        return (
            f"'{words}': no further validation rules will be run due to call cost exceeds limit "
            f"for rule: {text}"
        )
    return f"{words} evaluating rule: {text}"


def _shown(rule: Rule) -> str:
    return str(rule.given.get("message") or rule.given["rule"]).strip()


def _message(rule: Rule, now: Any, before: Any) -> str:
    if rule.message is not None:
        with contextlib.suppress(engine.Failed):
            found = rule.message(now, before)
            text = found.strip() if isinstance(found, str) else ""
            if text and "\n" not in text and len(text.encode()) <= _LONGEST_MESSAGE:
                return text
    given = rule.given.get("message")
    return str(given).strip() if given else f"failed rule: {_shown(rule)}"


def _breach(rule: Rule, path: str, value: Json, detail: str) -> Cause:
    field = path or "<nil>"
    reason = rule.given.get("reason") or "FieldValueInvalid"
    is_shown = not isinstance(value, (Mapping, list))
    if reason == "FieldValueForbidden":
        return causes.forbidden(field, detail)
    if reason == "FieldValueRequired":
        return causes.required(field, detail)
    if reason == "FieldValueDuplicate":
        shown = causes.duplicate(field, value)
        return shown if is_shown else Cause(field, "Duplicate value", shown.reason)
    if is_shown:
        return causes.invalid(field, value, detail)
    return Cause(field, f"Invalid value: {detail}", "FieldValueInvalid")
