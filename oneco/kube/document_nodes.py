"""YAML as a tree of nodes that know their lines, and the values that the nodes mean."""

from __future__ import annotations

import base64
import binascii
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Final

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]

from oneco.errors import Refused
from oneco.kube import scalars, secrecy
from oneco.kube.objects import Json

DEPTH_LIMIT: Final = 100
VALUES_LIMIT: Final = 500_000
"""How many values one document may have when every alias is written out."""

_PLAIN: Final = "plain"
_TEXT: Final = "tag:yaml.org,2002:str"
_SEQUENCE: Final = "tag:yaml.org,2002:seq"
_MAPPING: Final = "tag:yaml.org,2002:map"
_BINARY: Final = "tag:yaml.org,2002:binary"
_TYPED: Final[dict[str, tuple[type, ...]]] = {
    "tag:yaml.org,2002:int": (int,),
    "tag:yaml.org,2002:float": (int, float),
    "tag:yaml.org,2002:bool": (bool,),
    "tag:yaml.org,2002:null": (type(None),),
}


def compose(text: str, source: str) -> Iterator[yaml.Node]:
    """The documents of `text` as nodes; Refused where it is not YAML."""
    composer = _Composer(text)
    try:
        while composer.check_node():
            node = composer.get_node()
            assert node is not None, "a node was announced and did not come"
            yield node
    except yaml.MarkedYAMLError as error:
        # The parser's own words quote the line, whatever stands in it.
        raise _syntax(error, text, source) from None
    except yaml.reader.ReaderError as error:
        raise _unreadable(error, text, source) from error
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise Refused(f"{source}:{line}", found=repr(text[error.start]), wanted="text") from error
    except _TooDeep as error:
        wanted = f"at most {DEPTH_LIMIT} levels inside one another"
        raise Refused(source, found="deeper nesting", wanted=wanted) from error
    finally:
        composer.dispose()


def construct(node: yaml.Node, source: str) -> Json:
    """The value that `node` means to kubectl."""
    return _Constructor(source).value(node, 0)


def line_at(node: yaml.Node, path: Sequence[str | int]) -> int:
    """The line, counted from 1, of what stands at `path` below `node`, or of what is nearest."""
    line = node.start_mark.line + 1
    for step in path:
        found = _child(node, step)
        if found is None:
            break
        line, node = found
    return line


def items_of(node: yaml.Node) -> Sequence[yaml.Node]:
    """The nodes of the items of a list object."""
    found = _child(node, "items")
    return () if found is None else tuple(found[1].value)


def path_text(path: Sequence[str | int]) -> str:
    """`("spec", "ports", 0)` as `spec.ports[0]`; a key with dots stands in brackets."""
    text = ""
    for step in path:
        if isinstance(step, int) or "." in step or "/" in step:
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text


class _TooDeep(Exception):
    """The document nests deeper than any object does."""


class _Composer(CParser):
    """libyaml's composer without PyYAML's own ideas of what a scalar means."""

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        self._depth = 0

    def resolve(self, kind: type, value: str, implicit: Any) -> str:
        if kind is yaml.ScalarNode:
            return _PLAIN if implicit[0] else _TEXT
        return _MAPPING if kind is yaml.MappingNode else _SEQUENCE

    def descend_resolver(self, parent: object, index: object) -> None:
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            raise _TooDeep

    def ascend_resolver(self) -> None:
        self._depth -= 1


@dataclasses.dataclass(slots=True)
class _Built:
    value: Json
    count: int
    height: int


class _Constructor:
    """Makes values of nodes; an aliased node is made once and shared."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._built: dict[yaml.Node, _Built | None] = {}
        self._count = self._deepest = 0

    def value(self, node: yaml.Node, depth: int) -> Json:
        if type(node) is yaml.ScalarNode:
            self._count += 1
            return self._scalar(node)
        if node in self._built:
            return self._again(node, depth)
        self._built[node] = None
        before, deepest = self._count, self._deepest
        self._count += 1
        self._deepest = depth
        value = self._inside(node, depth + 1)
        self._built[node] = _Built(value, self._count - before, self._deepest - depth)
        self._deepest = max(deepest, self._deepest)
        return value

    def _inside(self, node: yaml.Node, depth: int) -> Json:
        self._note_depth(node, depth)
        if type(node) is yaml.MappingNode:
            return self._mapping(node, depth)
        return [self.value(item, depth) for item in node.value]

    def _note_depth(self, node: yaml.Node, depth: int) -> None:
        self._deepest = max(self._deepest, depth)
        if depth > DEPTH_LIMIT:
            raise self._refused(node, "deeper nesting", f"at most {DEPTH_LIMIT} levels")

    def _again(self, node: yaml.Node, depth: int) -> Json:
        built = self._built[node]
        if built is None:
            raise self._refused(node, "an alias inside what it names", "an end")
        self._count += built.count
        if self._count > VALUES_LIMIT:
            wanted = f"at most {VALUES_LIMIT} values when all aliases are written out"
            raise self._refused(node, "too many aliases", wanted)
        self._note_depth(node, depth + built.height)
        return built.value

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Json]:
        made: dict[str, Json] = {}
        merged: dict[str, Json] = {}
        for key_node, value_node in node.value:
            if key_node.value == "<<" and key_node.tag == _PLAIN:
                merged |= self._merged(value_node, depth)
                continue
            key = self._key(key_node)
            if key in made:
                raise self._repeated(node, key, key_node)
            made[key] = self.value(value_node, depth)
        return merged | made if merged else made

    def _merged(self, node: yaml.Node, depth: int) -> dict[str, Json]:
        value = self.value(node, depth)
        parts = value if isinstance(value, list) else [value]
        made: dict[str, Json] = {}
        for part in reversed(parts):
            if not isinstance(part, dict):
                raise self._refused(node, part, "a mapping to merge at <<")
            made |= part
        return made

    def _key(self, node: yaml.Node) -> str:
        # Most keys are plain words.
        if not isinstance(node, yaml.ScalarNode):
            raise self._refused(node, "a list or mapping as a key", "text as a key")
        value = self._scalar(node)
        if type(value) is str:
            return value
        if value is None:
            raise self._refused(node, "null as a key", "text as a key; put it in quotes")
        return scalars.key_of(value, node.value)

    def _scalar(self, node: yaml.ScalarNode) -> Json:
        tag, text = node.tag, node.value
        if tag == _TEXT:
            return text
        if tag == _PLAIN:
            try:
                return scalars.value_of(text)
            except scalars.NotFinite as error:
                wanted = "a number that JSON can say; put it in quotes if it is text"
                raise self._refused(node, text, wanted) from error
        return self._tagged(node)

    def _tagged(self, node: yaml.ScalarNode) -> Json:
        if node.tag == _BINARY:
            try:
                return base64.b64decode(node.value).decode()
            except (binascii.Error, UnicodeDecodeError) as error:
                raise self._refused(node, node.value, "base64 of UTF-8 text") from error
        if node.tag not in _TYPED:
            return node.value
        value = scalars.value_of(node.value)
        if type(value) not in _TYPED[node.tag]:
            raise self._refused(
                node, node.value, f"what its tag says: {node.tag.rpartition(':')[2]}"
            )
        return value

    def _repeated(self, node: yaml.MappingNode, key: str, second: yaml.Node) -> Refused:
        first = next(one for one, _ in node.value if self._key(one) == key)
        return self._refused(
            second, key, f"each key once; line {first.start_mark.line + 1} has it already"
        )

    def _refused(self, node: yaml.Node, found: object, wanted: str) -> Refused:
        mark = node.start_mark
        return Refused(
            f"{self._source}:{mark.line + 1}:{mark.column + 1}", found=found, wanted=wanted
        )


def _child(node: yaml.Node, step: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode):
        if isinstance(step, int) and 0 <= step < len(node.value):
            item = node.value[step]
            return item.start_mark.line + 1, item
        return None
    if not isinstance(node, yaml.MappingNode):
        return None
    merged = None
    for key, value in node.value:
        if key.value == str(step):
            return key.start_mark.line + 1, value
        if key.value == "<<" and key.tag == _PLAIN:
            merged = _child(value, step) or merged
    return merged


def _syntax(error: yaml.MarkedYAMLError, text: str, source: str) -> Refused:
    mark = error.problem_mark or error.context_mark
    problem = " ".join(part for part in (error.context, error.problem) if part)
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.splitlines()
    # An error at the end of the text is seen after the last line.
    line = min(line, max(len(lines) - 1, 0))
    excerpt = lines[line].strip(" \r") if lines else ""
    return Refused(
        f"{source}:{line + 1}:{column + 1}",
        found=secrecy.excerpt(excerpt.replace("\t", "\\t"), text),
        wanted=f"YAML ({_hint(problem, excerpt)})",
    )


def _hint(problem: str, excerpt: str) -> str:
    if "\t" in excerpt and ("token" in problem or "tab" in problem):
        return f"{problem}: indent with spaces, not with tabs"
    if "mapping values are not allowed" in problem:
        return f"{problem}: put text with a colon in quotes, and check the indentation"
    return problem


def _unreadable(error: yaml.reader.ReaderError, text: str, source: str) -> Refused:
    position = error.position if isinstance(error.position, int) else 0
    before = text.encode("utf-8", "surrogatepass")[:position].decode("utf-8", "replace")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    found = repr(text[len(before) : len(before) + 1])
    return Refused(f"{source}:{line}:{column}", found=found, wanted="printable text")
