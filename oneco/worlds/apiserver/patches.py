"""Changing what is there by a patch or by server-side apply."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from oneco.kube import apply, causes, decoding, merge_patch
from oneco.kube.api import Patch
from oneco.kube.errors import BadRequest, Cause, UnsupportedMediaType
from oneco.kube.json_patch import apply_json_patch, failed, go_name
from oneco.kube.objects import Object, encode, metadata
from oneco.kube.refs import Kind
from oneco.kube.remembered import Remembered
from oneco.kube.strategic import strategic
from oneco.worlds.apiserver import bodies, conversion, shapes, subresources
from oneco.worlds.apiserver.core import Core
from oneco.worlds.apiserver.ownership import Ownership
from oneco.worlds.apiserver.registry import no_such_resource
from oneco.worlds.apiserver.writes import Request, Writes, stale, warn


class Patches:
    """Turns patches into updates."""

    __slots__ = ("_core", "_ownership", "_writes")

    def __init__(self, core: Core, writes: Writes, ownership: Ownership) -> None:
        self._core, self._writes, self._ownership = core, writes, ownership

    def patch(self, request: Request, old: Object, patch: Patch) -> Object:
        """`old` after `patch`, stored."""
        served = request.served
        view = conversion.to_served(served, old)
        if request.subresource == "scale":
            scale = subresources.scale_of(served, view)
            return self.rescale(request, old, _patched(request, scale, patch))
        changed: Any = _patched(request, view, patch)
        if changed is view:
            warn(request, old, old)
            return conversion.to_served(served, old)
        _check_shape(changed, patch)
        if served.custom is None:
            # The server knows what it decodes: these cannot be patched away.
            named = {key: changed.get(key) or view[key] for key in ("apiVersion", "kind")}
            changed = {**changed, **named}
        bodies.check_same_kind(served, changed)
        changed = _decoded(request, changed, view, patch)
        _check_identity(request, view, changed)
        if request.subresource not in ("", "status"):
            changed = subresources.changed(
                served, request.subresource, view, changed, self._core.present()
            )
        return self._writes.update(request, old, changed)

    def rescale(self, request: Request, old: Object, body: Object) -> Object:
        """The Scale of `old` after `body` was written to it, stored."""
        served = request.served
        self._writes.check_version(request, old, {"metadata": body.get("metadata") or {}})
        view = conversion.to_served(served, old)
        changed = subresources.changed(served, "scale", view, body, self._core.present())
        return subresources.scale_of(served, self._writes.update(request, old, changed))

    def apply(self, request: Request, live: Object | None, body: Any) -> Object:
        """`live` after `body` was applied, stored; a new object if there is none."""
        served, options = request.served, request.options
        if request.subresource not in ("", "status"):
            raise no_such_resource()
        if not options.manager:
            raise _manager_required()
        bodies.check_applied(served, body)
        _check_types(request, body)
        meta = body.get("metadata") or {}
        bodies.check_place(request.key, meta)
        held = live
        if live is None:
            if request.subresource:
                raise served.missing(request.key.name)
        else:
            _check_applied_version(request, live, meta)
            live = self._ownership.resolved(
                request.key, live, shapes.stored_type(served), has_status=served.has_status
            )
            live = conversion.to_served(served, live)
        pruned: list[Object] = []
        applied = apply.apply(
            live,
            body,
            manager=options.manager,
            type=shapes.type_of(served),
            now_text=self._core.present(),
            force=options.force,
            subresource=request.subresource,
            has_status=served.has_status,
            finish=_finish(request),
            see=pruned.append,
        )
        found = shapes.nulls(served, body, live, pruned, request.subresource)
        if found:
            raise _null_refused(request, live, applied, found)
        if held is None:
            if "metadata" not in applied:
                applied = {**applied, "metadata": {}}
            return self._writes.create(request, applied)
        if applied is live:
            warn(request, held, held)
            return conversion.to_served(served, held)
        entries = applied["metadata"].get("managedFields") or []
        return self._writes.update(request, held, applied, entries=entries)


def _null_refused(
    request: Request, live: Object | None, applied: Object, nulls: Sequence[Cause]
) -> Exception:
    """The refusal of `applied` for its `nulls` and whatever else is wrong with it."""
    served, key = request.served, request.key
    if live is None:
        meta = {**metadata(applied), "name": key.name, "namespace": key.namespace}
        applied = {**applied, "metadata": meta}
    found = shapes.faults(served, applied, live, request.subresource, nulls)
    return causes.refusal(served.kind, key.name, found)


def _finish(request: Request) -> apply.Finish | None:
    """What completes an applied object; a built-in kind's status has no defaults."""
    if request.subresource and request.served.custom is None:
        return None
    return functools.partial(shapes.defaulted, request.served)


_clean: Remembered[bool] = Remembered(20_000)


def _check_types(request: Request, body: Object) -> None:
    """BadRequest for a value of the wrong type; the same few bodies come again and again."""
    served = request.served
    if served.custom is not None:
        return  # what does not fit a type is said when fields are owned
    kind = shapes.type_of(served)
    for key, part in body.items():
        child = kind.child(key)
        # Part by part: clusters differ in the metadata of what they apply, and share the rest.
        if child is None or not _clean.ask(decoding.is_clean, part, child):
            decoding.check(body, kind)
            return


def _decoded(request: Request, changed: Object, view: Object, patch: Patch) -> Object:
    mode = request.options.field_validation
    try:
        return shapes.decoded(request.served, changed, mode, request.caller, view)
    except BadRequest as fault:
        # The object was sound before: what cannot be read came with the patch.
        words = fault.message.partition("cannot be handled as a ")[2].partition(": ")[2]
        shown = encode(patch.body).decode()
        refused = causes.invalid("patch", shown, words or fault.message)
        raise causes.refusal(Kind("", "", ""), "", [refused]) from None


def _patched(request: Request, view: Object, patch: Patch) -> Any:
    if patch.type == "json":
        return apply_json_patch(view, patch.body)
    if patch.type == "merge":
        if patch.body is None:
            raise BadRequest("Invalid JSON Patch")
        if not isinstance(patch.body, Mapping):
            raise BadRequest(
                f"error decoding patch: json: cannot unmarshal {go_name(patch.body)} into Go value "
                "of type map[string]interface {}"
            )
        return merge_patch.merge(view, patch.body)
    served = request.served
    if served.custom is not None:
        raise UnsupportedMediaType(
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json-patch+json, application/merge-patch+json, "
            "application/apply-patch+yaml"
        )
    return strategic(view, patch.body, shapes.type_of(served))


def _check_shape(changed: Any, patch: Patch) -> None:
    """Raise unless a patch left an object that can be decoded."""
    if not isinstance(changed, Mapping):
        raise failed("a patch cannot make something else of an object")
    meta = changed.get("metadata")
    if meta is not None and not isinstance(meta, Mapping):
        words = "cannot restore struct from: something else"
        refused = causes.invalid("patch", encode(patch.body).decode(), words)
        raise causes.refusal(Kind("", "", ""), "", [refused])


def _check_identity(request: Request, old: Object, changed: Object) -> None:
    """Raise unless the patch leaves alone what tells the object from others."""
    served, name = request.served, request.key.name
    was, meta = old["metadata"], changed.get("metadata") or {}
    if meta is was:
        return
    if not meta.get("name"):
        raise BadRequest(
            f"the name of the object ({name} based on URL) was undeterminable: "
            "name must be provided"
        )
    bodies.check_place(request.key, meta)
    uid, version = meta.get("uid"), meta.get("resourceVersion")
    if uid and uid != was["uid"]:
        raise _uid_immutable(request, uid)
    if version and version != was["resourceVersion"]:
        raise stale(served, name)


def _check_applied_version(request: Request, live: Object, meta: Object) -> None:
    uid, version = meta.get("uid"), meta.get("resourceVersion")
    if uid and uid != live["metadata"]["uid"]:
        raise _uid_immutable(request, uid)
    if version and version != live["metadata"]["resourceVersion"]:
        raise stale(request.served, request.key.name)


def _uid_immutable(request: Request, uid: str) -> Exception:
    fault = causes.invalid("metadata.uid", uid, "field is immutable")
    return causes.refusal(request.served.kind, request.key.name, [fault])


def _manager_required() -> Exception:
    words = "Required value: is required for apply patch"
    fault = Cause("fieldManager", words, "FieldValueRequired")
    return causes.refusal(Kind("meta.k8s.io", "", "PatchOptions"), "", [fault])
