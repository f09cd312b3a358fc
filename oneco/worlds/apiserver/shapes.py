"""What a served kind's objects look like: decoding, defaults and validity, of either origin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from oneco.kube import decoding, defaults, names, types, validation, validation_updates
from oneco.kube.api import FieldValidation
from oneco.kube.errors import BadRequest, Cause
from oneco.kube.objects import Object
from oneco.kube.types import Type
from oneco.worlds.apiserver import scales
from oneco.worlds.apiserver.cleaning import cleaned
from oneco.worlds.apiserver.core import Caller
from oneco.worlds.apiserver.registry import Served


def type_of(served: Served) -> Type:
    """The type of the kind's objects as this version shows them."""
    if served.custom is not None:
        return served.custom.type
    found = types.of(served.kind)
    assert found is not None, f"the table of built-in kinds lacks {served.kind}"
    return found


def stored_type(served: Served) -> Type:
    """The type of the kind's objects as they are stored."""
    if served.custom is not None or served.is_stored_version:
        return type_of(served)
    found = types.of(served.storage)
    assert found is not None, f"the table of built-in kinds lacks {served.storage}"
    return found


def decoded(
    served: Served,
    body: Object,
    mode: FieldValidation,
    caller: Caller,
    known: Object | None = None,
) -> Object:
    """`body` as the kind is read: without fields it does not know, which `mode` may refuse.

    Parts that `body` shares with `known` were decoded before.
    """
    part = _news(body, known)
    if served.custom is None:
        kind = type_of(served)
        decoding.check(part, kind)
        clean, lost = cleaned(part, kind)
        unknown = [f'unknown field "{path}"' for path in lost]
    else:
        clean, unknown = _custom(served, part)
    if known is not None:
        # A patched object is read from JSON whose keys are in order.
        unknown = sorted(unknown)
    if unknown and mode != "Ignore":
        _say(served, unknown, mode, caller)
    if clean is part:
        return body
    return {
        key: clean.get(key, value) for key, value in body.items() if key in clean or key not in part
    }


def defaulted(served: Served, obj: Object, known: Object | None = None) -> Object:
    """`obj` with the kind's defaults; what it shares with the complete `known` has them."""
    if served.custom is not None:
        return served.custom.schema.default(obj)
    return defaults.default(obj, known)


def faults(
    served: Served,
    new: Object,
    old: Object | None,
    subresource: str,
    known: Sequence[Cause] = (),
) -> Sequence[Cause]:
    """What is wrong with `new`, which replaces `old` or is created; `known` is known already."""
    if served.custom is None and not subresource:
        return validation.validate(new, old, namespaced=served.namespaced)
    found: list[Cause] = []
    if old is None or old["metadata"] is not new["metadata"]:
        found += names.validate_metadata(
            new["metadata"], kind=served.kind.kind, namespaced=served.namespaced
        )
        if old is not None:
            found += validation_updates.validate_metadata_update(new, old)
    if served.custom is None:
        return found
    schema, scale = served.custom.schema, served.custom.scale
    if old is not None and subresource == "status":
        found += schema.validate_status(new, old, known)
    else:
        found += schema.validate(new, old, known)
    if scale is None:
        return found
    return found + scales.faults(scale, new, is_status=old is not None and subresource == "status")


def nulls(
    served: Served, body: Object, live: Object | None, pruned: Sequence[Object], subresource: str
) -> list[Cause]:
    """The nulls for which a custom schema has no place, where `body` is applied to `live`.

    Null fits every type where fields are owned, so nobody refused them before. `pruned` has those
    that stand for what was emptied.
    """
    if served.custom is None:
        return []
    schema = served.custom.schema
    if subresource == "status":
        found = schema.status_nulls(body, live or {})
        found += [one for made in pruned for one in schema.status_nulls(made, {})]
    else:
        has_status = served.has_status and live is not None
        body = _without_status(body) if has_status else body
        found = schema.nulls(body, live)
        found += [one for made in pruned for one in schema.nulls(made)]
    return [one for place, one in enumerate(found) if one not in found[:place]]


def _without_status(obj: Object) -> Object:
    return {key: part for key, part in obj.items() if key != "status"}


def _news(body: Object, known: Object | None) -> Object:
    """The parts of `body` that `known` does not share, with what says whose they are."""
    if known is None:
        return body
    return {
        key: value
        for key, value in body.items()
        if key in _NAMED or known.get(key, _NOTHING) is not value
    }


def _custom(served: Served, part: Object) -> tuple[Object, list[str]]:
    assert served.custom is not None, f"{served.kind} is built in"
    schema = served.custom.schema
    pruned = schema.prune(part)
    unknown = [] if pruned is part else schema.unknown_fields(part)
    if "metadata" in part:
        identity = {key: part[key] for key in (*_NAMED, "metadata") if key in part}
        decoding.check(identity, _IDENTITY)
        clean, lost = cleaned(identity, _IDENTITY)
        unknown = [f'unknown field "{path}"' for path in lost] + unknown
        if clean is not identity:
            pruned = {**pruned, "metadata": clean["metadata"]}
    return pruned, unknown


def _say(served: Served, unknown: Sequence[str], mode: FieldValidation, caller: Caller) -> None:
    if mode == "Strict":
        kind = served.kind
        raise BadRequest(
            f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '
            f"strict decoding error: {', '.join(unknown)}"
        )
    for text in unknown:
        caller.warn(text)


_NOTHING: Final = object()
_NAMED: Final = ("apiVersion", "kind")
_IDENTITY: Final[Any] = Type(
    form="map",
    name="Identity",
    fields={
        "apiVersion": Type(form="str"), "kind": Type(form="str"), "metadata": types.object_meta(),
    },
)  # fmt: skip
