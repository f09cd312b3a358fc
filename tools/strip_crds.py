"""Keep of others' CRDs what a machine compares: names, types and rules, without any prose.

python tools/strip_crds.py FOLDER > tests/kinds/testdata/originals.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

KINDS = {
    "Application",
    "ApplicationRevision",
    "AppliedManifestWork",
    "CloneSet",
    "DaemonSet",
    "ManagedCluster",
    "ManifestWork",
    "Placement",
    "PlacementDecision",
    "StatefulSet",
}
PROSE = {"description", "x-kubernetes-validations"}
# An ApplicationRevision repeats whole other kinds, which are free-form to us.
REPEATED = {
    "application",
    "componentDefinitions",
    "policies",
    "policyDefinitions",
    "traitDefinitions",
    "workflow",
    "workflowStepDefinitions",
    "workloadDefinitions",
}
FREE = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def stripped(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` without prose, at any depth."""
    left = {key: value for key, value in schema.items() if key not in PROSE}
    if "properties" in left:
        left["properties"] = {name: stripped(part) for name, part in left["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(left.get(key), dict):
            left[key] = stripped(left[key])
    return left


def shortened(crd: dict[str, Any]) -> dict[str, Any]:
    """The names, the scope and the one stored version of a CRD."""
    spec = crd["spec"]
    version = next(one for one in spec["versions"] if one["storage"])
    schema = stripped(version["schema"]["openAPIV3Schema"])
    if spec["names"]["kind"] == "ApplicationRevision":
        parts = schema["properties"]["spec"]["properties"]
        parts.update(dict.fromkeys(REPEATED & set(parts), FREE))
    return {
        "name": crd["metadata"]["name"],
        "names": spec["names"],
        "scope": spec["scope"],
        "version": version["name"],
        "columns": [
            {key: value for key, value in one.items() if key not in PROSE}
            for one in version.get("additionalPrinterColumns", [])
        ],
        "subresources": version.get("subresources", {}),
        "schema": schema,
    }


def main() -> None:
    """Print the short forms of all CRDs below the folder that is named, by kind."""
    found = {}
    for path in sorted(Path(sys.argv[1]).rglob("*.yaml")):
        for crd in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            is_one = crd and crd["kind"] == "CustomResourceDefinition"
            if is_one and crd["spec"]["names"]["kind"] in KINDS:
                found[crd["spec"]["names"]["kind"]] = shortened(crd)
    lines = [f"{json.dumps(kind)}: {json.dumps(one)}" for kind, one in sorted(found.items())]
    print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main()
