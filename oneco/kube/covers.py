"""Whether a live object still says everything that a manifest wants: drift detection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oneco.kube import quantity
from oneco.kube.comparison import same
from oneco.kube.fieldsets import Malformed, item_key
from oneco.kube.objects import Json
from oneco.kube.types import ANY, Type

_TOLERATION = "core.v1.Toleration"


def covers(live: Json, wanted: Json, kind: Type) -> bool:
    """Whether `live` has every field of `wanted` with the same meaning; it may have more."""
    if live is wanted or wanted is None:
        return True
    if isinstance(wanted, dict):
        if not isinstance(live, dict):
            # A live object leaves out what is empty.
            return live is None and all(part is None for part in wanted.values())
        return live == wanted or _covers_map(live, wanted, kind)
    if isinstance(wanted, list):
        if not isinstance(live, list):
            return live is None and not wanted
        return live == wanted or _covers_list(live, wanted, kind)
    return _same_scalar(live, wanted, kind)


def _covers_map(live: Mapping[str, Json], wanted: Mapping[str, Json], kind: Type) -> bool:
    fields, element = kind.fields, kind.element or ANY
    if kind.atomic and not _same_keys(live, wanted, kind):
        return False
    for key, part in wanted.items():
        here = live.get(key)
        if here is not part and not covers(here, part, fields.get(key) or element):
            return False
    return True


def _same_keys(live: Mapping[str, Json], wanted: Mapping[str, Json], kind: Type) -> bool:
    """Whether an atomic map has no key too many; defaults may still add named fields."""
    if not kind.fields:
        return len(live) == len(wanted)
    inner = ((live.get(key), part) for key, part in wanted.items() if isinstance(part, dict))
    return all(isinstance(here, dict) and len(here) == len(part) for here, part in inner)


def _covers_list(live: Sequence[Json], wanted: Sequence[Json], kind: Type) -> bool:
    element = kind.element or ANY
    if kind.atomic or kind.form != "list":
        if element.name == _TOLERATION and len(live) > len(wanted):
            live = [item for item in live if item in wanted or not _is_servers(item)]
        # The server fills in defaults inside the items of an atomic list too.
        return len(live) == len(wanted) and all(
            covers(here, part, element) for here, part in zip(live, wanted, strict=True)
        )
    try:
        by_key = {item_key(item, kind): item for item in live}
        return all(
            (key := item_key(item, kind)) in by_key and covers(by_key[key], item, element)
            for item in wanted
        )
    except Malformed:
        return False


def _is_servers(toleration: Json) -> bool:
    """Whether it is one of those that the server adds to every pod."""
    troubles = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
    return isinstance(toleration, dict) and toleration.get("key") in troubles


def _same_scalar(live: Json, wanted: Json, kind: Type) -> bool:
    if same(live, wanted):
        return True
    if kind.form == "quantity":
        return live is not None and quantity.equal(live, wanted)
    # An empty value that the encoder leaves out.
    return live is None and (wanted == "" or wanted == 0) and kind.form in ("str", "int", "bool")
