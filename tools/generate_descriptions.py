"""Writes oneco/generated/descriptions.py out of a running kube-apiserver's OpenAPI.

    python -m tools.generate_descriptions KUBECONFIG

The texts are Kubernetes' own (The Kubernetes Authors, Apache License 2.0).
"""

from __future__ import annotations

import base64
import json
import lzma
import pathlib
import sys
import textwrap
from typing import Any

from tools.generate_builtin import GROUPS, SPECIAL, Server, short

TARGET = pathlib.Path(__file__).parent.parent / "oneco" / "generated" / "descriptions.py"
HEADER = '''"""What the fields of Kubernetes' own kinds are for, in Kubernetes' own words.

DO NOT EDIT: written by python -m tools.generate_descriptions. The texts are from Kubernetes
{version}, (c) The Kubernetes Authors, under the Apache License 2.0.

TEXTS is JSON, compressed with LZMA, in base 85: by type, the text of the type at the empty name, of
each field by its name, or a pair of text and the schema that the field refers to. SCHEMAS is the
same of those schemas.
"""

'''


def main() -> None:
    """Ask the server, write the table."""
    server = Server(sys.argv[1])
    schemas: dict[str, Any] = {}
    for group in GROUPS:
        path = f"/openapi/v3/{'apis/' if '/' in group else 'api/'}{group}"
        schemas |= server.get(path)["components"]["schemas"]
    texts = {short(name): described(schema) for name, schema in sorted(schemas.items())}
    special = {name: one for name, one in sorted(schemas.items()) if short(name) in SPECIAL}
    version = server.get("/version")["gitVersion"]
    parts = (HEADER.format(version=version), packed("TEXTS", texts), packed("SCHEMAS", special))
    TARGET.write_text("\n".join(parts), "utf-8")


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """The texts of one type and its fields."""
    found = {"": schema.get("description", "")}
    for name, part in schema.get("properties", {}).items():
        text, target = part.get("description", ""), special_target(part)
        found[name] = [text, target] if target else text
    return {name: text for name, text in found.items() if text}


def special_target(part: dict[str, Any]) -> str:
    """The schema that a field refers to, itself or its items, if our table knows only its form."""
    for one in (part, part.get("items") or {}, part.get("additionalProperties") or {}):
        if isinstance(one, dict):
            reference = one.get("$ref") or (one.get("allOf") or [{}])[0].get("$ref") or ""
            if short(reference) in SPECIAL:
                return str(reference.removeprefix("#/components/schemas/"))
    return ""


def packed(name: str, value: Any) -> str:
    """A Python assignment of bytes."""
    encoded = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    text = base64.b85encode(lzma.compress(encoded, preset=9 | lzma.PRESET_EXTREME)).decode()
    lines = "\n".join(f"    b{line!r}" for line in textwrap.wrap(text, 92, break_on_hyphens=False))
    return f"{name} = (\n{lines}\n)\n"


if __name__ == "__main__":
    main()
