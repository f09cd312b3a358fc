"""What in an object is secret, and texts without it.

API servers quote what they refuse, and such words go far: into conditions, journals, terminals.
Secret is what a Secret holds, wherever its manifest stands (alone, in a work, in an Application),
and the values of environment variables.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from oneco.kube.objects import Json

MASK: Final = "***"
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_FIELDS: Final = ("data", "stringData")
_SIGNS: Final = re.compile(
    r"""\bSecret\b|\b(env|stringData|password|token)["']?\s*:""", re.IGNORECASE
)
# Shorter ones are words such as `true`: hiding them would hide nothing and garble much.
_SHORTEST, _KNOWN_BY = 4, 12


class Hidden(str):
    """A secret text inside an object that is about to be shown; equal to the text itself."""

    __slots__ = ()


def hidden(value: Json) -> Json:
    """`value` with everything that a Secret holds marked as `Hidden`."""
    if isinstance(value, Mapping):
        inner = {key: hidden(part) for key, part in value.items()}
        return _hidden_secret(inner) if value.get("kind") == "Secret" else inner
    return [hidden(part) for part in value] if isinstance(value, list) else value


def shown(value: Json, mask: str = MASK) -> Json:
    """`value` with `mask` in the place of everything that is `Hidden`."""
    if isinstance(value, Hidden):
        return mask
    if isinstance(value, Mapping):
        return {key: shown(part, mask) for key, part in value.items()}
    return [shown(part, mask) for part in value] if isinstance(value, list) else value


def redacted(text: str, about: Json) -> str:
    """`text` without the secrets of the object it is about, or the beginnings of them."""
    forms = sorted({one for one in _forms(about) if len(one) >= _SHORTEST}, key=len, reverse=True)
    for form in forms:
        text = text.replace(form, MASK)
    for form in forms:
        text = _without_beginning(text, form)
    return text


def excerpt(line: str, text: str) -> str:
    """A line of a text that is no document, unless the text looks as if it held a secret."""
    return line if _SIGNS.search(text) is None else "a line that is not shown: it may be secret"


def _hidden_secret(secret: dict[str, Any]) -> dict[str, Any]:
    for field in _FIELDS:
        held = secret.get(field)
        if isinstance(held, Mapping):
            secret[field] = {key: Hidden(_text(part)) for key, part in held.items()}
        elif held is not None:
            secret[field] = Hidden(_text(held))
    meta = secret.get("metadata")
    if isinstance(meta, Mapping):
        notes = meta.get("annotations")
        if isinstance(notes, Mapping) and LAST_APPLIED in notes:
            kept = {**notes, LAST_APPLIED: Hidden(_text(notes[LAST_APPLIED]))}
            secret["metadata"] = {**meta, "annotations": kept}
    return secret


def _forms(value: Json) -> Iterator[str]:
    """Every way in which a secret of `value` may be written."""
    for plain in _secrets(value):
        for one in (plain, *(line.strip() for line in plain.splitlines())):
            yield one
            yield json.dumps(one)[1:-1]
            yield json.dumps(one, ensure_ascii=False)[1:-1]
            yield base64.b64encode(one.encode(errors="surrogatepass")).decode()


def _secrets(value: Json) -> Iterator[str]:
    if isinstance(value, list):
        for part in value:
            yield from _secrets(part)
    if not isinstance(value, Mapping):
        return
    if value.get("kind") == "Secret":
        for field in _FIELDS:
            yield from _held(value.get(field))
    for variable in _listed(value.get("env")):
        if isinstance(variable, Mapping):
            yield from _texts(variable.get("value"))
    for part in value.values():
        yield from _secrets(part)


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _held(value: Json) -> Iterator[str]:
    for text in _texts(value):
        yield text
        try:
            yield base64.b64decode(text, validate=True).decode()
        except (binascii.Error, ValueError):
            # Binary, or plain.
            continue


def _texts(value: Json) -> Iterator[str]:
    """Every text and number in `value`, also where only one text belongs."""
    if isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)
    elif value is not None:
        yield _text(value)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _without_beginning(text: str, form: str) -> str:
    """`text` without as much of the beginning of `form` as somebody cut it to."""
    start = form[:_KNOWN_BY]
    if len(start) < _KNOWN_BY:
        return text
    done: list[str] = []
    while (place := text.find(start)) >= 0:
        end, length = place + len(start), len(start)
        while length < len(form) and end < len(text) and text[end] == form[length]:
            end, length = end + 1, length + 1
        done += [text[:place], MASK]
        text = text[end:]
    return "".join((*done, text))
