"""Which objects of a collection a request means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from oneco.kube import selectors
from oneco.kube.api import Match
from oneco.kube.errors import BadRequest
from oneco.kube.objects import Object
from oneco.worlds.apiserver.registry import Served

Matcher = Callable[[Object], bool]
_EVERYTHING: Final = Match()


def matcher(served: Served, match: Match) -> Matcher | None:
    """A predicate for `match`, None where every object is meant; BadRequest for wrong text."""
    if match is _EVERYTHING or not (match.labels or match.fields):
        return None
    by_label = selectors.parse(match.labels)
    by_field = selectors.parse_fields(match.fields)
    _check_fields(served, by_field)
    if not by_field.requirements:
        return None if by_label.is_everything else _label_matcher(by_label)
    if by_label.is_everything:
        return by_field.matches
    matches_labels = _label_matcher(by_label)
    return lambda obj: matches_labels(obj) and by_field.matches(obj)


def named(match: Match) -> str:
    """The one name that `match` allows, empty if it allows several."""
    if not match.fields:
        return ""
    return selectors.parse_fields(match.fields).required_value("metadata.name") or ""


def _label_matcher(selector: selectors.Selector) -> Matcher:
    matches = selector.matches
    return lambda obj: matches(obj["metadata"].get("labels"))


def _check_fields(served: Served, selector: selectors.FieldSelector) -> None:
    if served.custom is None:
        selectors.check_fields(selector, served.kind.kind)
        return
    allowed = {"metadata.name", "metadata.namespace", *served.custom.selectable_fields}
    for requirement in selector.requirements:
        if requirement.path not in allowed:
            raise BadRequest(f"field label not supported: {requirement.path}")
