"""Files are checked as a whole before anything is sent: every mistake at once, each with its place.

What only a server knows (kinds that others defined, what is there already) is left to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from oneco import definitions
from oneco.cli import known
from oneco.cli.known import Kinds, Known
from oneco.delivery import manifests, rendering, usage
from oneco.delivery.manifests import Owner
from oneco.delivery.mistakes import Mistakes, one_of, within
from oneco.delivery.ports import Registry
from oneco.errors import Refused
from oneco.kinds import validity
from oneco.kinds.oam import APPLICATIONS, ApplicationSpec
from oneco.kinds.parts import parse
from oneco.kube import decoding, defaults, documents, names, objects, secrecy, validation
from oneco.kube.documents import Document
from oneco.kube.errors import BadRequest, Cause
from oneco.kube.objects import Object, dig

_go_path = re.compile(r"Go struct field \w+\.(\S+) of type (\S+)")
_path_step = re.compile(r"[^.\[\]]+")
_kind_words = re.compile(r"(Invalid|Unsupported|Duplicate|Not found|Required|Forbidden)\b[^:]*:? ?")
_must = re.compile(r"^must (be |not |have )")
_MUST_WORDS = {
    "must be ": "a value that is ",
    "must not ": "a value that does not ",
    "must have ": "a value that has ",
}
_GO_WORDS = {
    "string": "text; put it in quotes",
    "bool": "true or false",
    "int32": "a whole number",
    "int64": "a whole number",
    "float64": "a number",
}


class Mistake(NamedTuple):
    """What is wrong at one path of one object."""

    path: str
    found: object
    wanted: str


def load(paths: Sequence[str], *, versions_of: Collection[str] = ()) -> tuple[Document, ...]:
    """The objects in files and directories; Mistakes name all that is wrong with any of them.

    Kinds in `versions_of` may stand there twice under one name.
    """
    found, wrong = documents.read_each(paths, versions_of=versions_of)
    refusals = list(wrong)
    kinds = known.among(found)
    for document in found:
        refusals += [_without_secrets(one, document) for one in check(document, kinds)]
    if refusals:
        raise Mistakes(refusals)
    if not found:
        raise Refused(", ".join(paths), found="no objects", wanted="at least one object")
    return found


def check(document: Document, kinds: Kinds) -> list[Refused]:
    """Everything that is wrong with one object, as far as it can be known here."""
    try:
        kind = known.find(document, kinds)
    except Refused as refusal:
        return [refusal]
    if kind is None:
        return []
    wrong: list[Mistake] = []
    for finder in (_name, _application, _schema, _built_in, _validity):
        # A later look at what was found wrong already would say the same in other words.
        wrong += [one for one in finder(document.object, kind) if not _is_said(one, wrong)]
    wrong.sort(key=lambda one: document.line(one.path))
    return [Refused(document.where(one.path), found=one.found, wanted=one.wanted) for one in wrong]


def _without_secrets(refusal: Refused, document: Document) -> Refused:
    if isinstance(refusal.found, bool | None) or not document.object:
        return refusal
    found = refusal.found if isinstance(refusal.found, str) else json.dumps(refusal.found)
    clean = secrecy.redacted(found, document.object)
    if clean == found:
        return refusal
    return Refused(refusal.where, found=clean, wanted=refusal.wanted)


def _is_said(one: Mistake, wrong: Iterable[Mistake]) -> bool:
    return any(
        one.path == other.path
        or one.path.startswith((f"{other.path}.", f"{other.path}["))
        or other.path.startswith((f"{one.path}.", f"{one.path}["))
        for other in wrong
    )


def _name(obj: Object, kind: Known) -> Iterator[Mistake]:
    if not objects.name(obj):
        yield Mistake("metadata.name", "nothing", "a name")
        return
    meta = dict(objects.metadata(obj))
    if kind.info.namespaced:
        meta.setdefault("namespace", "default")
    elif meta.get("namespace"):
        wanted = f"nothing: a {kind.info.kind} belongs to no namespace"
        yield Mistake("metadata.namespace", meta.pop("namespace"), wanted)
    causes = names.validate_metadata(meta, kind=kind.info.kind, namespaced=kind.info.namespaced)
    yield from (from_cause(cause) for cause in causes)


def _application(obj: Object, kind: Known) -> Iterator[Mistake]:
    if kind.info.resource != APPLICATIONS:
        return
    registry = definitions.builtin()
    found: list[Refused] = []
    try:
        rendering.render(obj, registry)
    except Refused as refusal:
        # What is wrong in the plan hides what is wrong in the components.
        found += [*within("", refusal), *_components(obj, registry)]
    seen = dict.fromkeys(Mistake(one.where, str(one.found), one.wanted) for one in found)
    yield from seen


def _components(obj: Object, registry: Registry) -> Iterator[Refused]:
    try:
        spec = parse(ApplicationSpec, obj.get("spec"), "spec")
    except Refused:
        return
    owner = Owner(objects.name(obj), objects.namespace(obj) or "default")
    for index, one in enumerate(spec.components):
        try:
            use = usage.of(one, f"spec.components[{index}]")
            manifests.component(use, owner, owner.namespace, registry)
        except Refused as refusal:
            yield from within("", refusal)


def _schema(obj: Object, kind: Known) -> Iterator[Mistake]:
    if kind.schema is None:
        return
    yield from (from_cause(cause) for cause in kind.schema.validate(obj))
    for text in kind.schema.unknown_fields(obj):
        yield _unknown(text, kind)


def _built_in(obj: Object, kind: Known) -> Iterator[Mistake]:
    if kind.type is None:
        return
    try:
        decoding.check(obj, kind.type)
    except BadRequest as error:
        yield _undecodable(error, obj)
        return
    unknown = decoding.unknown_fields(obj, kind.type)
    for text in unknown:
        yield _unknown(text, kind)
    if kind.info.namespaced and not objects.namespace(obj):
        obj = objects.put(obj, ("metadata", "namespace"), "default")
    causes = validation.validate(defaults.default(obj), namespaced=kind.info.namespaced)
    found = [from_cause(cause) for cause in causes]
    # What a default took over from a wrong value is wrong only for that.
    written = [one for one in found if one.found == "nothing" or _is_written(obj, one.path)]
    yield from written or found


def _is_written(obj: Object, path: str) -> bool:
    steps = [int(step) if step.isdigit() else step for step in _path_step.findall(path)]
    return dig(obj, *steps) is not None


def _validity(obj: Object, kind: Known) -> Iterator[Mistake]:
    return (from_cause(cause) for cause in validity.validate(obj))


def from_cause(cause: Cause) -> Mistake:
    """An API server's words as what was found and what would be accepted."""
    path, _, said_there = cause.field.partition(": ")
    if said_there:
        return Mistake(path, None, said_there)
    match = _kind_words.match(cause.message)
    if match is None:
        return Mistake(cause.field, None, cause.message)
    rest = cause.message[match.end() :]
    if match[1] == "Required":
        return Mistake(cause.field, "nothing", _bare(rest) or "a value")
    if match[1] == "Forbidden":
        return Mistake(cause.field, "a value there", f"none: {rest}")
    try:
        value, end = json.JSONDecoder().raw_decode(rest)
    except ValueError:
        return Mistake(cause.field, None, _bare(rest))
    said = _bare(rest[end:].removeprefix(":").strip())
    if match[1] == "Duplicate":
        said = "each value once"
    return Mistake(cause.field, value, said or "another value")


def _bare(text: str) -> str:
    said = text.removeprefix("wanted ").removeprefix("supported values: ")
    return _must.sub(lambda match: _MUST_WORDS[match[0]], said)


def _unknown(text: str, kind: Known) -> Mistake:
    path = text.split('"')[1]
    name = path.rpartition(".")[2]
    fields = kind.fields_around(path)
    choice = f": {one_of(fields, name)}" if fields else ""
    return Mistake(path, name, f"a field that exists{choice}")


def _undecodable(error: BadRequest, obj: Object) -> Mistake:
    match = _go_path.search(error.message)
    if match is None:
        return Mistake("", None, error.message)
    path, kind = match[1], match[2]
    steps = [step for step in path.split(".") if step]
    wanted = _GO_WORDS.get(kind, "a list" if kind.startswith("[]") else "a map")
    return Mistake(path, dig(obj, *steps), wanted)
