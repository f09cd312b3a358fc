"""What is wrong with the rules of a definition, before any object is held against them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from oneco.kube import causes
from oneco.kube.errors import Cause
from oneco.kube.rules import engine
from oneco.kube.rules.fields import Schema, with_identity
from oneco.kube.rules.paths import field_path

_KEY: Final = "x-kubernetes-validations"
_REASONS: Final = (
    "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired",
)  # fmt: skip


def faults(schema: Schema, path: str, *, is_root: bool = True, lost: str = "") -> Iterator[Cause]:
    """What is wrong with the rules in `schema`, which stands at `path`.

    `lost` is the place above which items cannot be told from those that were there before.
    """
    given = schema.get(_KEY) or ()
    shape = [
        cause for number, rule in enumerate(given) for cause in _shape(rule, number, schema, path)
    ]
    for name, part in (schema.get("properties") or {}).items():
        yield from faults(part, f"{path}.properties[{name}]", is_root=False, lost=lost)
    values, items = schema.get("additionalProperties"), schema.get("items")
    if isinstance(values, Mapping):
        yield from faults(values, f"{path}.additionalProperties", is_root=False, lost=lost)
    if isinstance(items, Mapping):
        is_told = schema.get("x-kubernetes-list-type") == "map"
        here = lost or ("" if is_told else path)
        yield from faults(items, f"{path}.items", is_root=False, lost=here)
    yield from shape
    if not shape:
        seen = with_identity(schema) if is_root else schema
        for number, rule in enumerate(given):
            yield from _meaning(rule, seen, f"{path}.{_KEY}[{number}]", lost)


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


def _meaning(rule: Mapping[str, Any], schema: Schema, where: str, lost: str) -> Iterator[Cause]:
    text = rule["rule"]
    checker = engine.Checker(schema, is_optional=bool(rule.get("optionalOldSelf")))
    shown = _as_go_shows(rule)
    try:
        checker.check(text, "BOOL")
    except engine.Unsound as fault:
        words = f"compilation failed: {fault.words}" if fault.words else _NO_BOOL
        yield causes.invalid(f"{where}.rule", shown, words)
        yield from _unused(rule, where)
        return
    expression = rule.get("messageExpression")
    if expression:
        try:
            checker.check(expression, "STRING")
        except engine.Unsound as fault:
            words = f"messageExpression compilation failed: {fault.words}"
            words = words if fault.words else _NO_STRING
            yield causes.invalid(f"{where}.messageExpression", shown, words)
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
