"""Writes oneco/generated/builtin.py out of a running kube-apiserver's OpenAPI and discovery.

    python tools/generate_builtin.py KUBECONFIG

The kubeconfig is that of a test control plane (`./dev real up`).
"""

from __future__ import annotations

import base64
import json
import pathlib
import ssl
import sys
import tempfile
import urllib.request
from typing import Any

import yaml

GROUPS = (
    "v1", "admissionregistration.k8s.io/v1", "apiextensions.k8s.io/v1",
    "apiregistration.k8s.io/v1", "apps/v1", "authentication.k8s.io/v1",
    "authorization.k8s.io/v1", "autoscaling/v1", "autoscaling/v2", "batch/v1",
    "certificates.k8s.io/v1", "coordination.k8s.io/v1", "discovery.k8s.io/v1", "events.k8s.io/v1",
    "networking.k8s.io/v1", "node.k8s.io/v1", "policy/v1", "rbac.authorization.k8s.io/v1",
    "scheduling.k8s.io/v1", "storage.k8s.io/v1",
)  # fmt: skip
TARGET = pathlib.Path(__file__).parent.parent / "oneco" / "generated" / "builtin.py"
SHORT = {"integer": "int", "string": "str", "boolean": "bool", "number": "num"}
# The schemas of these cannot say what they are: their JSON differs from their Go type.
SPECIAL: dict[str, dict[str, str]] = {
    "apimachinery.pkg.api.resource.Quantity": {"form": "quantity"},
    "apimachinery.pkg.util.intstr.IntOrString": {"form": "int-or-string"},
    "apimachinery.pkg.apis.meta.v1.Time": {"form": "str", "format": "date-time"},
    "apimachinery.pkg.apis.meta.v1.MicroTime": {"form": "str", "format": "date-time"},
    "apimachinery.pkg.apis.meta.v1.FieldsV1": {"form": "any"},
    "apimachinery.pkg.runtime.RawExtension": {"form": "untyped"},
    "apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": {"form": "untyped"},
    "apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": {"form": "untyped"},
    "apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": {"form": "untyped"},
    "apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": {
        "form": "untyped"
    },
}
ATTRIBUTES = {
    "x-kubernetes-patch-merge-key": "merge_key",
    "x-kubernetes-patch-strategy": "strategy",
    "x-kubernetes-list-type": "list",
    "x-kubernetes-list-map-keys": "keys",
    "x-kubernetes-map-type": "map",
    "format": "format",
    "enum": "enum",
}


def main() -> None:
    """Ask the server, write the table."""
    server = Server(sys.argv[1])
    schemas: dict[str, Any] = {}
    for group in GROUPS:
        path = f"/openapi/v3/{'apis/' if '/' in group else 'api/'}{group}"
        schemas |= server.get(path)["components"]["schemas"]
    wanted = {short(name) for name, one in schemas.items() if kind_names(one)}
    types = {short(name): type_of(one) for name, one in schemas.items()}
    types = {name: types[name] for name in sorted(reachable(types, wanted))}
    kinds = {kind: short(name) for name, one in schemas.items() for kind in kind_names(one)}
    TARGET.write_text(written(types, kinds, resources(server), server.get("/version")), "utf-8")


class Server:
    """A kube-apiserver that takes the client certificate of a kubeconfig."""

    def __init__(self, kubeconfig: str) -> None:
        config = yaml.safe_load(pathlib.Path(kubeconfig).read_text("utf-8"))
        self.url = config["clusters"][0]["cluster"]["server"]
        self.trust = ssl.create_default_context()
        # A throw-away test server on loopback signs its own certificate.
        self.trust.check_hostname, self.trust.verify_mode = False, ssl.CERT_NONE
        user = config["users"][0]["user"]
        with tempfile.NamedTemporaryFile() as both:
            for part in ("client-certificate-data", "client-key-data"):
                both.write(base64.b64decode(user[part]) + b"\n")
            both.flush()
            self.trust.load_cert_chain(both.name)

    def get(self, path: str, accept: str = "application/json") -> Any:
        """The JSON document at `path`."""
        request = urllib.request.Request(self.url + path, headers={"Accept": accept})
        with urllib.request.urlopen(request, context=self.trust, timeout=60) as answer:
            return json.load(answer)


def short(name: str) -> str:
    """A schema's name without what all of them begin with."""
    name = name.removeprefix("#/components/schemas/")
    return name.removeprefix("io.k8s.api.").removeprefix("io.k8s.").removeprefix("kube-aggregator.")


def kind_names(schema: dict[str, Any]) -> list[str]:
    """The served kinds, as `group/version/Kind`, that a schema describes."""
    names = schema.get("x-kubernetes-group-version-kind") or []
    if len(names) != 1 or names[0]["kind"].endswith("List") or "kind" not in schema["properties"]:
        return []
    api_version = "/".join(part for part in (names[0]["group"], names[0]["version"]) if part)
    return [f"{api_version}/{names[0]['kind']}"] if api_version in GROUPS else []


def type_of(schema: dict[str, Any]) -> Any:
    """The compact form of one schema: a word, a reference, or attributes."""
    inner = schema.get("allOf", [{}])[0] | schema
    one: dict[str, Any] = {"form": form_of(schema)}
    if "$ref" in inner:
        name = short(inner["$ref"])
        one = dict(SPECIAL.get(name, {"ref": name}))
    if "properties" in schema:
        one["fields"] = {name: type_of(part) for name, part in sorted(schema["properties"].items())}
        if schema.get("required"):
            one["required"] = schema["required"]
    if "items" in schema:
        one["of"] = type_of(schema["items"])
    elif isinstance(schema.get("additionalProperties"), dict):
        one["of"] = type_of(schema["additionalProperties"])
    one |= {ours: schema[theirs] for theirs, ours in ATTRIBUTES.items() if schema.get(theirs)}
    if "default" in schema:
        one["default"] = schema["default"]
    return simplest(one)


def form_of(schema: dict[str, Any]) -> str:
    """The word for the JSON that a schema without a reference accepts."""
    kind = schema.get("type")
    if kind is None:
        return "untyped"
    if kind == "object":
        typed = "properties" in schema or "additionalProperties" in schema
        return "map" if typed else "any"
    return SHORT.get(kind, "list" if kind == "array" else kind)


def simplest(one: dict[str, Any]) -> Any:
    """A single word where a word says it all."""
    if set(one) == {"form"}:
        return one["form"]
    return "#" + one["ref"] if set(one) == {"ref"} else one


def reachable(types: dict[str, Any], roots: set[str]) -> set[str]:
    """The names of all types that the roots need."""
    seen: set[str] = set()
    rest = sorted(roots)
    while rest:
        name = rest.pop()
        if name not in seen:
            seen.add(name)
            rest += references(types[name])
    return seen


def references(one: Any) -> list[str]:
    """The names that a compact type refers to."""
    if isinstance(one, str):
        return [one[1:]] if one.startswith("#") else []
    parts = [*one.get("fields", {}).values(), *([one["of"]] if "of" in one else [])]
    found = [name for part in parts for name in references(part)]
    return [*found, one["ref"]] if "ref" in one else found


def resources(server: Server) -> list[list[Any]]:
    """Discovery rows: group, version, plural, kind, singular, namespaced, and four lists."""
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    rows = []
    for root in ("/api", "/apis"):
        for group in server.get(root, accept)["items"]:
            name = group["metadata"].get("name", "")
            for version in group["versions"]:
                if "/".join(part for part in (name, version["version"]) if part) in GROUPS:
                    rows += [row(name, version["version"], one) for one in version["resources"]]
    return rows


def row(group: str, version: str, one: dict[str, Any]) -> list[Any]:
    """One resource's discovery row."""
    subresources = sorted(part["subresource"] for part in one.get("subresources", []))
    kind, singular = one["responseKind"]["kind"], one.get("singularResource", "")
    head = [group, version, one["resource"], kind, singular, one["scope"] == "Namespaced"]
    return [*head, one.get("shortNames", []), one.get("categories", []), subresources, one["verbs"]]


def written(types: Any, kinds: Any, rows: Any, version: Any) -> str:
    """The text of the module."""

    def compact(value: Any) -> str:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

    lines = [
        '"""DO NOT EDIT. What a kube-apiserver serves by itself, by its OpenAPI and discovery.',
        "",
        f"{version['gitVersion']}, read by: python tools/generate_builtin.py KUBECONFIG",
        '"""',
        "",
        "TYPES = {",
        *(f"    {name!r}: {compact(one)!r}," for name, one in types.items()),
        "}",
        '"""Type name to its compact JSON; `oneco.kube.types` reads it."""',
        "",
        "KINDS = {",
        *(f"    {kind!r}: {name!r}," for kind, name in sorted(kinds.items())),
        "}",
        '"""`apiVersion/Kind` to the name of its type."""',
        "",
        "RESOURCES = (",
        *(f"    {compact(one)!r}," for one in rows),
        ")",
        '"""JSON rows: group, version, plural, kind, singular, namespaced; short names,',
        'categories, subresources, verbs."""',
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
