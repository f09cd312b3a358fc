"""Kubernetes objects in files that people write: YAML and JSON, read as kubectl reads them.

Whatever is wrong is answered with the file, the line and what would be accepted.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import yaml

from oneco.errors import Refused
from oneco.kube import document_json, document_nodes
from oneco.kube.document_text import write
from oneco.kube.objects import Json, Object, dig

__all__ = ["STANDARD_INPUT", "Document", "read", "read_files", "write"]

SIZE_LIMIT_BYTES: Final = 3 * 1024 * 1024
STANDARD_INPUT: Final = "-"
_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})
_document_start = re.compile(r"^---", re.MULTILINE)
_path_step = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One object and the place in a file where it stands."""

    object: Object
    source: str
    node: yaml.Node

    def line(self, path: str | Sequence[str | int] = ()) -> int:
        """The line of what stands at `path`, or of the nearest part around it that exists."""
        steps = _steps(path) if isinstance(path, str) else path
        return document_nodes.line_at(self.node, steps)

    def where(self, path: str | Sequence[str | int] = ()) -> str:
        """The place of `path` for an error: `app.yaml:12: spec.components[0].type`."""
        shown = path if isinstance(path, str) else document_nodes.path_text(path)
        place = f"{self.source}:{self.line(path)}"
        return f"{place}: {shown}" if shown else place


def read(text: str, source: str, *, limit_bytes: int = SIZE_LIMIT_BYTES) -> tuple[Document, ...]:
    """The objects in `text`, in order; lists of objects are opened, empty documents skipped.

    Refused names `source` and the line of the first mistake.
    """
    text = text.removeprefix("\ufeff")
    _check_sizes(text, source, limit_bytes)
    found: list[Document] = []
    for value, node in _values(text, source):
        if value is not None:
            found += _objects_in(value, node, source)
    return tuple(found)


def read_bytes(
    raw: bytes, source: str, *, limit_bytes: int = SIZE_LIMIT_BYTES
) -> tuple[Document, ...]:
    """The objects in a file's bytes: UTF-8, or UTF-16 with its mark."""
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        found = raw[error.start : error.start + 4].hex(" ")
        raise Refused(f"{source}:{line}", found=f"bytes {found}", wanted="UTF-8 text") from error
    return read(text, source, limit_bytes=limit_bytes)


def read_files(
    paths: Iterable[str | Path], *, versions_of: Collection[str] = ()
) -> tuple[Document, ...]:
    """The objects in files, in all YAML and JSON files below directories, and in `-`.

    Directories are read in the order of their files' names. An object that stands in two
    places is refused with both, unless its kind is one of `versions_of`.
    """
    found, wrong = read_each(paths, versions_of=versions_of)
    if wrong:
        raise wrong[0]
    return found


def read_each(
    paths: Iterable[str | Path], *, versions_of: Collection[str] = ()
) -> tuple[tuple[Document, ...], tuple[Refused, ...]]:
    """As `read_files`, with the first mistake of every file beside what the others hold."""
    found: list[Document] = []
    wrong: list[Refused] = []
    for path in paths:
        try:
            files = _files_at(path)
        except Refused as refusal:
            wrong.append(refusal)
            continue
        for file in files:
            try:
                found += read_bytes(_bytes_of(file), file)
            except Refused as refusal:
                wrong.append(refusal)
    single = (one for one in found if one.object["kind"] not in versions_of)
    return tuple(found), (*wrong, *_repeats(single))


def _values(text: str, source: str) -> Iterator[tuple[Json, yaml.Node]]:
    if text.lstrip()[:1] == "{":
        values = document_json.values(text, source)
        if values is not None:
            yield from document_json.with_nodes(values, text, source)
            return
    for node in document_nodes.compose(text, source):
        yield document_nodes.construct(node, source), node


def _check_sizes(text: str, source: str, limit_bytes: int) -> None:
    # A character is at most four bytes, so short texts need no look at their bytes.
    if len(text) * 4 <= limit_bytes:
        return
    starts = [match.start() for match in _document_start.finditer(text)]
    edges = [0, *starts, len(text)]
    for start, end in itertools.pairwise(edges):
        size = len(text[start:end].encode("utf-8", "surrogatepass"))
        if size > limit_bytes:
            line = text.count("\n", 0, start) + 1
            raise Refused(
                f"{source}:{line}",
                found=f"a document of {size} bytes",
                wanted=f"at most {limit_bytes} bytes in one document",
            )


def _objects_in(value: Json, node: yaml.Node, source: str) -> Iterator[Document]:
    whole = Document(value, source, node)
    if not isinstance(value, dict):
        raise Refused(whole.where(), found=value, wanted="an object: apiVersion, kind, metadata")
    kind = value.get("kind")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(value.get("items"), list):
        items = document_nodes.items_of(node)
        for index, item in enumerate(value["items"]):
            yield from _objects_in(item, items[index] if items else node, source)
        return
    _check_shape(whole)
    yield whole


def _check_shape(document: Document) -> None:
    """Refuse what no later reader could take for an object."""
    obj = document.object
    for key, wanted in (
        ("apiVersion", "the version of its API, such as apps/v1"),
        ("kind", "what it is, such as Deployment"),
    ):
        if not isinstance(obj.get(key), str) or not obj[key]:
            raise Refused(document.where(key), found=_seen(obj, key), wanted=wanted)
    if not isinstance(obj.get("metadata", {}), dict):
        wanted = "fields such as name and labels"
        raise Refused(document.where("metadata"), found=obj["metadata"], wanted=wanted)
    for key in ("name", "namespace", "generateName"):
        value = dig(obj, "metadata", key)
        if value is not None and not isinstance(value, str):
            wanted = "text; put it in quotes"
            raise Refused(document.where(("metadata", key)), found=value, wanted=wanted)
    for key in ("labels", "annotations"):
        _check_texts(document, key)


def _check_texts(document: Document, key: str) -> None:
    texts = dig(document.object, "metadata", key, default={})
    if not isinstance(texts, dict):
        wanted = "keys with a text each"
        raise Refused(document.where(("metadata", key)), found=texts, wanted=wanted)
    for name, value in texts.items():
        if value is not None and not isinstance(value, str):
            wanted = "text; put it in quotes"
            where = document.where(("metadata", key, name))
            raise Refused(where, found=_spelled(value), wanted=wanted)


def _seen(obj: Object, key: str) -> object:
    return "nothing" if obj.get(key) in (None, "") else obj[key]


def _spelled(value: Json) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _files_at(path: str | Path) -> Sequence[str]:
    if str(path) == STANDARD_INPUT:
        return (STANDARD_INPUT,)
    place = Path(path)
    if not place.is_dir():
        return (str(path),)
    files = sorted(
        str(file) for file in place.rglob("*") if file.suffix in _SUFFIXES and file.is_file()
    )
    if not files:
        raise Refused(str(path), found="no such file in it", wanted=".yaml, .yml or .json files")
    return files


def _bytes_of(file: str) -> bytes:
    if file == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except FileNotFoundError as error:
        raise Refused(file, found="nothing", wanted="a file or a directory that exists") from error
    except OSError as error:
        raise Refused(file, found=error.strerror, wanted="a file that can be read") from error


def _repeats(documents: Iterable[Document]) -> Iterator[Refused]:
    """A refusal of each object that stands in a second place."""
    seen: dict[tuple[str, ...], Document] = {}
    for document in documents:
        obj = document.object
        name = dig(obj, "metadata", "name", default="")
        if not name:
            continue
        group = obj["apiVersion"].rpartition("/")[0]
        key = (group, obj["kind"], dig(obj, "metadata", "namespace", default=""), name)
        first = seen.setdefault(key, document)
        if first is not document:
            yield Refused(
                document.where("metadata.name"),
                found=f"{obj['kind']} {name} again",
                wanted=f"each object once; it stands in {first.source}:{first.line()} already",
            )


def _steps(path: str) -> Sequence[str | int]:
    steps: list[str | int] = []
    for match in _path_step.finditer(path):
        index, name = match[1], match[2]
        if index is None:
            steps.append(name)
        else:
            steps.append(int(index) if index.isdigit() else index)
    return steps
