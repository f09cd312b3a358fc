"""What a served kind's objects look like: decoding, defaults and validity, of either origin."""

from __future__ import annotations

from collections.abc import Sequence

from oneco.kube import defaults, names, types
from oneco.kube.api import FieldValidation
from oneco.kube.errors import BadRequest, Cause
from oneco.kube.objects import Object
from oneco.kube.types import Type
from oneco.worlds.apiserver.core import Caller
from oneco.worlds.apiserver.registry import Served


def type_of(served: Served) -> Type:
    """The type of the kind's objects as this version shows them."""
    if served.custom is not None:
        return served.custom.type
    found = types.of(served.kind)
    assert found is not None, f"the table of built-in kinds lacks {served.kind}"
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
    if served.custom is None:
        return body
    schema = served.custom.schema
    pruned = schema.prune(body)
    if pruned is not body and mode != "Ignore":
        unknown = schema.unknown_fields(body)
        if mode == "Strict" and unknown:
            raise BadRequest(
                f'{served.kind.kind} in version "{served.kind.version}" cannot be handled as a '
                f"{served.kind.kind}: strict decoding error: {', '.join(unknown)}"
            )
        for text in unknown:
            caller.warn(text)
    return pruned


def defaulted(served: Served, obj: Object) -> Object:
    """`obj` with the kind's defaults."""
    if served.custom is not None:
        return served.custom.schema.default(obj)
    return defaults.default(obj)


def faults(served: Served, new: Object, old: Object | None) -> Sequence[Cause]:
    """What is wrong with `new`, which replaces `old` or is created."""
    found: list[Cause] = []
    if old is None or old["metadata"] is not new["metadata"]:
        found += names.validate_metadata(
            new["metadata"], kind=served.kind.kind, namespaced=served.namespaced
        )
    if served.custom is not None:
        return found + served.custom.schema.validate(new, old)
    return found


def stored_type(served: Served) -> Type:
    """The type of the kind's objects as they are stored."""
    if served.custom is not None or served.is_stored_version:
        return type_of(served)
    found = types.of(served.storage)
    assert found is not None, f"the table of built-in kinds lacks {served.storage}"
    return found
