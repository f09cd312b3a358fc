"""Label and field selectors: parsed once, frozen, and matched without looking at text again."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from oneco.kube import causes, names
from oneco.kube.errors import BadRequest, Cause
from oneco.kube.objects import Object, dig
from oneco.kube.selector_text import parse_requirements
from oneco.kube.selector_values import Requirement

_CACHED_SELECTORS: Final = 4096


@dataclasses.dataclass(frozen=True, slots=True)
class Selector:
    """Which labels are chosen: all `requirements` must hold; none at all chooses everything."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        """Whether an object with these labels is chosen."""
        labels = labels or {}
        for requirement in self.requirements:
            if not requirement.matches(labels):
                return False
        return not self.nothing

    @property
    def is_everything(self) -> bool:
        """Whether every object is chosen."""
        return not self.requirements and not self.nothing

    def required_value(self, key: str) -> str | None:
        """The one value that label `key` must have to be chosen, if the selector says so."""
        for requirement in self.requirements:
            if requirement.key == key and requirement.is_one_value:
                return next(iter(requirement.values))
        return None

    def __str__(self) -> str:
        return ",".join(str(requirement) for requirement in self.requirements)


EVERYTHING: Final = Selector()
NOTHING: Final = Selector(nothing=True)


@functools.lru_cache(maxsize=_CACHED_SELECTORS)
def parse(text: str) -> Selector:
    """The selector that `text` says, such as `app=web,tier in (a,b),!old`; BadRequest otherwise."""
    requirements = parse_requirements(text)
    return Selector(requirements) if requirements else EVERYTHING


def from_object(label_selector: Object | None) -> Selector:
    """The selector that a `LabelSelector` says: absent chooses nothing, empty everything."""
    if label_selector is None:
        return NOTHING
    found = validate(label_selector)
    if found:
        raise BadRequest("; ".join(f"{cause.field}: {cause.message}" for cause in found))
    matching = label_selector.get("matchLabels") or {}
    expressions = tuple(
        (one["key"], one["operator"], tuple(one.get("values") or ()))
        for one in label_selector.get("matchExpressions") or ()
    )
    return _from_parts(tuple(matching.items()), expressions)


def from_labels(labels: Mapping[str, str] | None) -> Selector:
    """The selector of a plain map, as a Service carries it: absent or empty chooses nothing."""
    return _from_parts(tuple(labels.items()), ()) if labels else NOTHING


def shown(selector: Object) -> Object:
    """The selector as the server's messages show it: with its labels in order."""
    labels = selector.get("matchLabels")
    return {**selector, "matchLabels": dict(sorted(labels.items()))} if labels else selector


def validate(label_selector: Object, field: str = "selector") -> list[Cause]:
    """What an API server refuses about a `LabelSelector` that stands at `field`."""
    found = names.validate_labels(label_selector.get("matchLabels"), f"{field}.matchLabels")
    for index, expression in enumerate(label_selector.get("matchExpressions") or ()):
        found += _validate_expression(expression, f"{field}.matchExpressions[{index}]")
    return found


@dataclasses.dataclass(frozen=True, slots=True)
class FieldRequirement:
    """One field and the text it must have, or must not have."""

    path: str
    value: str
    is_equal: bool = True

    def __str__(self) -> str:
        return f"{self.path}{'=' if self.is_equal else '!='}{_escaped(self.value)}"


@dataclasses.dataclass(frozen=True, slots=True)
class FieldSelector:
    """Which objects are chosen by the text of a few of their fields."""

    requirements: tuple[FieldRequirement, ...] = ()

    def matches(self, obj: Object) -> bool:
        """Whether `obj` is chosen."""
        for requirement in self.requirements:
            if (_field_text(obj, requirement.path) == requirement.value) != requirement.is_equal:
                return False
        return True

    def required_value(self, path: str) -> str | None:
        """The one value that the field at `path` must have to be chosen, if there is one."""
        for requirement in self.requirements:
            if requirement.path == path and requirement.is_equal:
                return requirement.value
        return None

    def __str__(self) -> str:
        return ",".join(str(requirement) for requirement in self.requirements)


@functools.lru_cache(maxsize=_CACHED_SELECTORS)
def parse_fields(text: str) -> FieldSelector:
    """The selector that `text` says, such as `metadata.name=web`; BadRequest otherwise."""
    return FieldSelector(tuple(_field_requirement(term, text) for term in _terms(text) if term))


def check_fields(selector: FieldSelector, kind: str) -> None:
    """Raise BadRequest where the API server cannot choose objects of a built-in kind by a field."""
    supported = _COMMON_FIELDS | _FIELDS_OF.get(kind, frozenset())
    for requirement in selector.requirements:
        if requirement.path not in supported:
            raise BadRequest(_unsupported_field(requirement.path, kind))


@functools.lru_cache(maxsize=_CACHED_SELECTORS)
def _from_parts(
    matching: tuple[tuple[str, str], ...],
    expressions: tuple[tuple[str, str, tuple[str, ...]], ...],
) -> Selector:
    requirements = [Requirement(key, "=", frozenset((value,))) for key, value in matching]
    requirements += [
        Requirement(key, _OPERATORS[operator], frozenset(values))
        for key, operator, values in expressions
    ]
    # Sorted as the API server prints them, which also makes equal selectors equal.
    ordered = tuple(sorted(requirements, key=lambda one: (one.key, one.operator)))
    return Selector(ordered) if ordered else EVERYTHING


def _validate_expression(expression: Object, field: str) -> list[Cause]:
    operator, values = expression.get("operator") or "", expression.get("values") or ()
    found = []
    if operator in ("In", "NotIn"):
        if not values:
            words = "must be specified when `operator` is 'In' or 'NotIn'"
            found.append(causes.required(f"{field}.values", words))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            words = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            found.append(causes.forbidden(f"{field}.values", words))
    else:
        found.append(causes.invalid(f"{field}.operator", operator, "not a valid selector operator"))
    key = expression.get("key") or ""
    found += [causes.invalid(f"{field}.key", key, fault) for fault in names.key_faults(key)]
    for index, value in enumerate(values):
        where = f"{field}.values[{index}]"
        found += [causes.invalid(where, value, fault) for fault in names.value_faults(value)]
    return found


def _terms(text: str) -> Sequence[str]:
    terms, start, escaped = [], 0, False
    for index, letter in enumerate(text):
        if escaped:
            escaped = False
        elif letter == "\\":
            escaped = True
        elif letter == ",":
            terms.append(text[start:index])
            start = index + 1
    return [*terms, text[start:]]


def _field_requirement(term: str, text: str) -> FieldRequirement:
    for index, letter in enumerate(term):
        if letter == "=":
            width = 2 if term[index + 1 : index + 2] == "=" else 1
            return FieldRequirement(term[:index], _unescaped(term[index + width :]))
        if term.startswith("!=", index):
            return FieldRequirement(term[:index], _unescaped(term[index + 2 :]), is_equal=False)
    raise BadRequest(f"invalid selector: '{text}'; can't understand '{term}'")


def _unescaped(text: str) -> str:
    if not any(mark in text for mark in "\\,="):
        return text
    plain, escaped = [], False
    for letter in text:
        if escaped:
            if letter not in "\\,=":
                raise BadRequest(f"invalid field selector: invalid escape sequence: \\{letter}")
            plain.append(letter)
            escaped = False
        elif letter == "\\":
            escaped = True
        elif letter in ",=":
            raise BadRequest(f"invalid field selector: unescaped character in value: {ord(letter)}")
        else:
            plain.append(letter)
    if escaped:
        raise BadRequest("invalid field selector: invalid escape sequence: \\")
    return "".join(plain)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")


def _field_text(obj: Object, path: str) -> str:
    special = _SPECIAL_TEXT.get(path)
    value = special(obj) if special else dig(obj, *path.split("."))
    if value is None:
        return _ABSENT.get(path, "")
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _event_source(obj: Object) -> str | None:
    source: str | None = dig(obj, "source", "component") or dig(obj, "reportingComponent")
    return source


_SPECIAL_TEXT: Final[Mapping[str, Callable[[Object], str | None]]] = {"source": _event_source}
_ABSENT: Final = {
    "spec.unschedulable": "false",
    "spec.hostNetwork": "false",
    "status.successful": "0",
    "status.replicas": "0",
}
_OPERATORS: Final = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}
_COMMON_FIELDS: Final = frozenset({"metadata.name", "metadata.namespace"})
_EVENT_FIELDS: Final = frozenset(
    f"involvedObject.{part}"
    for part in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
) | {"reason", "reportingComponent", "source", "type"}
_FIELDS_OF: Final[Mapping[str, frozenset[str]]] = {
    "Pod": frozenset(
        {
            "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
            "spec.hostNetwork", "status.phase", "status.podIP", "status.podIPs",
            "status.nominatedNodeName",
        }
    ),
    "Node": frozenset({"spec.unschedulable"}),
    "Namespace": frozenset({"status.phase"}),
    "Secret": frozenset({"type"}),
    "Service": frozenset({"spec.clusterIP", "spec.type"}),
    "Job": frozenset({"status.successful"}),
    "ReplicationController": frozenset({"status.replicas"}),
    "CertificateSigningRequest": frozenset({"spec.signerName"}),
    "Event": _EVENT_FIELDS,
}  # fmt: skip
_CORE_KINDS: Final = frozenset(
    {
        "Pod",
        "Node",
        "Namespace",
        "Secret",
        "Service",
        "ReplicationController",
        "Event",
        "CertificateSigningRequest",
    }
)


def _unsupported_field(path: str, kind: str) -> str:
    if kind in _CORE_KINDS:
        return f"field label not supported: {path}"
    if kind in _FIELDS_OF:
        return f'field label "{path}" not supported for {kind}'
    return f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"'
