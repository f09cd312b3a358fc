"""Objects as YAML text, laid out as kubectl prints them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

import yaml

from oneco.kube import scalars
from oneco.kube.objects import Json, Object

_EXACT: Final = 2.0**63
_TEXT: Final = "tag:yaml.org,2002:str"
_sexagesimal = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?").fullmatch
_date = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([Tt ].*)?").fullmatch
_digits = re.compile(r"(\d+)").split


def write(obj: Object) -> str:
    """`obj` as YAML: keys in alphabetical order, text of several lines as a block."""
    text: str = yaml.dump(
        obj,
        Dumper=_Dumper,
        default_flow_style=False,
        allow_unicode=True,
        sort_keys=False,
    )
    # libyaml marks the end of a text that closes with empty lines; kubectl does not.
    return text.removesuffix("...\n")


_TAGS: Final[dict[type, str]] = {
    yaml.MappingNode: "tag:yaml.org,2002:map",
    yaml.SequenceNode: "tag:yaml.org,2002:seq",
}


class _Dumper(yaml.CSafeDumper):
    """libyaml's emitter with kubectl's choice of quotes, which the nodes carry as their style."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def resolve(self, kind: type, value: str, implicit: Any) -> str:
        return _TAGS.get(kind, _TEXT)


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    if "\n" in text:
        return dumper.represent_scalar(_TEXT, text, style="|")
    quoted = scalars.needs_quotes(text) or _sexagesimal(text) or _date(text)
    return dumper.represent_scalar(_TEXT, text, style='"' if quoted else None)


def _mapping(dumper: _Dumper, mapping: dict[str, Json]) -> yaml.Node:
    keys = sorted(mapping, key=_natural)
    return dumper.represent_mapping("tag:yaml.org,2002:map", [(key, mapping[key]) for key in keys])


def _natural(key: str) -> list[tuple[int, int, int]]:
    """Runs of digits compare as numbers, and letters come after everything else."""
    parts: list[tuple[int, int, int]] = []
    for index, run in enumerate(_digits(key)):
        if index % 2:
            parts.append((1, int(run), len(run)))
        else:
            parts += [(2 if letter.isalpha() else 0, ord(letter), 0) for letter in run]
    return parts


def _float(dumper: _Dumper, number: float) -> yaml.Node:
    if number.is_integer() and abs(number) < _EXACT:
        return dumper.represent_scalar(_TEXT, str(int(number)))
    text = repr(number)
    exponent = Decimal(text).adjusted()
    if not -4 <= exponent < 6:
        mantissa = f"{Decimal(text).normalize():e}".partition("e")[0].removesuffix(".0")
        text = f"{mantissa}e{exponent:+03d}"
    return dumper.represent_scalar(_TEXT, text)


def _plain(dumper: _Dumper, value: bool | int | None) -> yaml.Node:
    text = "null" if value is None else str(value).lower()
    return dumper.represent_scalar(_TEXT, text)


for _kind in (bool, int, type(None)):
    _Dumper.add_representer(_kind, _plain)
_Dumper.add_representer(str, _text)
_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(float, _float)
