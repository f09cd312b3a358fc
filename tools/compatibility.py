"""Writes the tables of docs/kubernetes-compatibility.md out of the code.

    python -m tools.compatibility [--check]

Each table stands between two comments that name it; the words around them are a person's.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from oneco.kube import errors, tables, types, validation
from oneco.kube import schema as schemas
from oneco.kube.refs import ResourceInfo
from oneco.worlds.behaviours import engine
from oneco.worlds.embedded import negotiation, requests, resources
from tests.real.differential.deliberate import LISTED, NORMALISED

ROOT: Final = Path(__file__).parents[1]
DOCUMENT: Final = ROOT / "docs" / "kubernetes-compatibility.md"
CASES: Final = ROOT / "tests" / "real" / "kubectl" / "cases"
_TABLE = re.compile(r"(<!-- table: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_QUERY = re.compile(r"""query\.(?:text|flag|number)\("(\w+)"\)""")
_ALL_VERBS: Final = frozenset(
    {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
)
OPTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "allowWatchBookmarks": ("watch", "a bookmark every minute"),
    "continue": ("list", "the next page, at the version of the first"),
    "dryRun": ("create, update, patch, delete", "`All`; anything else is 422"),
    "fieldManager": ("create, update, patch", "needed for server-side apply"),
    "fieldSelector": ("list, watch, deletecollection", "the fields that Kubernetes has for a kind"),
    "fieldValidation": ("create, update, patch", "`Strict`, `Warn`, `Ignore`; `Warn` without"),
    "force": ("server-side apply", "takes over what others manage"),
    "gracePeriodSeconds": ("delete", "or in the body"),
    "includeObject": ("get, list, watch of tables", "`None`, `Metadata`, `Object`"),
    "labelSelector": ("list, watch, deletecollection", "both forms: equality and sets"),
    "limit": ("list", "with `remainingItemCount`"),
    "orphanDependents": ("delete", "or in the body"),
    "pretty": ("any", "indented JSON"),
    "propagationPolicy": ("delete", "`Background`, `Foreground`, `Orphan`; or in the body"),
    "resourceVersion": ("list, watch", "watch resumes there; 410 when it is forgotten"),
    "resourceVersionMatch": (
        "list, watch",
        "`Exact`, `NotOlderThan`; what Kubernetes forbids is 422",
    ),
    "sendInitialEvents": (
        "watch",
        "WatchList: the present objects, then the bookmark that ends them",
    ),
    "timeoutSeconds": ("watch", "an hour without"),
    "watch": ("list", "the list as a watch"),
}
"""What each query parameter is for. A parameter that the code reads has to stand here."""


def main(arguments: Sequence[str]) -> int:
    """Write the tables, or with `--check` say whether they differ; 1 if they do."""
    before = DOCUMENT.read_text(encoding="utf-8")
    after = _TABLE.sub(lambda found: f"{found[1]}{_table(found[2])}\n{found[3]}", before)
    if "--check" in arguments:
        if before != after:
            sys.stdout.write(f"{DOCUMENT} is not what the code says\n")
        return int(before != after)
    DOCUMENT.write_text(after, encoding="utf-8")
    return 0


def _table(name: str) -> str:
    return "\n".join(_TABLES[name]())


def _resources() -> Iterator[str]:
    yield from _head("group and version", "kinds")
    found: dict[str, list[ResourceInfo]] = {}
    for info in types.resources():
        found.setdefault(info.resource.api_version, []).append(info)
    for api_version, infos in found.items():
        yield _row(f"`{api_version}`", ", ".join(map(_kind, infos)))


def _kind(info: ResourceInfo) -> str:
    name = info.kind if info.namespaced else f"*{info.kind}*"
    missing = sorted(_ALL_VERBS - set(info.verbs))
    if missing and len(missing) > 4:
        name += f" ({', '.join(info.verbs)} only)"
    elif missing:
        name += f" (without {', '.join(missing)})"
    return name


def _subresources() -> Iterator[str]:
    yield from _head("subresource", "of", "answer")
    found: dict[tuple[str, str], list[str]] = {}
    for info in types.resources():
        for name in info.subresources:
            found.setdefault((_answer(info, name), name), []).append(info.kind)
    for answer, name in sorted(found, key=lambda one: (one[0] != "served", *one)):
        yield _row(f"`{name}`", ", ".join(dict.fromkeys(found[answer, name])), answer)


def _answer(info: ResourceInfo, name: str) -> str:
    if info.kind == "Pod" and name in resources._OF_CONTAINERS:
        return "400: no containers run here"
    code = "".join(
        (ROOT / "oneco" / "worlds" / "apiserver" / f"{module}.py").read_text(encoding="utf-8")
        for module in ("server", "subresources")
    )
    return "served" if f'"{name}"' in code else "404"


def _patches() -> Iterator[str]:
    yield from _head("`Content-Type`", "built-in kinds", "custom kinds")
    for media, kind in requests._PATCH_TYPES.items():
        own = "415, as Kubernetes answers" if kind == "strategic" else "yes"
        yield _row(f"`{media}`", "yes", own)
    yield _row(f"`{requests.APPLY_TYPES[0]}`", "server-side apply", "server-side apply")
    yield _row(f"`{requests.APPLY_TYPES[1]}`", "415", "415")


def _forms() -> Iterator[str]:
    yield from _head("what", "media types")
    bodies = [one for one in requests._BODY_TYPES if one]
    yield _row("bodies of requests", ", ".join(f"`{one}`" for one in bodies))
    yield _row("answers", f"`{negotiation.JSON}`; only what Accept names otherwise is 406")
    versions = {
        group: " or ".join(f"`{one}`" for one in found)
        for group, found in negotiation._VERSIONS.items()
    }
    for form in dict.fromkeys(negotiation._FORMS.values()):
        group = "apidiscovery.k8s.io" if form == "APIGroupDiscoveryList" else "meta.k8s.io"
        yield _row(f"`as={form}`", f"`{group}`, {versions[group]}")


def _options() -> Iterator[str]:
    code = "".join(
        (ROOT / "oneco" / "worlds" / "embedded" / f"{name}.py").read_text(encoding="utf-8")
        for name in ("application", "list_rules", "requests", "resources", "shapes")
    )
    read = set(_QUERY.findall(code))
    assert read == set(OPTIONS), f"say in tools/compatibility.py: {read ^ set(OPTIONS)}"
    yield from _head("parameter", "of", "meaning")
    for name in sorted(read):
        yield _row(f"`{name}`", *OPTIONS[name])


def _printers() -> Iterator[str]:
    yield ", ".join(sorted({kind for _, kind in tables._PRINTERS}, key=str.lower)) + "."


def _validated() -> Iterator[str]:
    yield ", ".join(sorted({kind for _, kind in validation._RULES}, key=str.lower)) + "."


def _errors() -> Iterator[str]:
    yield from _head("reason", "status")
    kinds = sorted(errors._BY_REASON.values(), key=lambda one: (one.code, one.reason))
    for one in kinds:
        if one.reason:
            yield _row(f"`{one.reason}`", str(one.code))


def _controllers() -> Iterator[str]:
    named = re.findall(r"^from oneco\.worlds\.behaviours\.(\w+) import (\w+)$", _engine(), re.M)
    for _, name in named:
        if re.search(rf"\b{name}\(hand", _engine()):
            told = (getattr(engine, name).__doc__ or "").partition("\n")[0]
            yield f"- {name}: {told}"
    yield "- OpenKruise's, for CloneSets, Advanced StatefulSets and Advanced DaemonSets."


def _engine() -> str:
    return (ROOT / "oneco" / "worlds" / "behaviours" / "engine.py").read_text(encoding="utf-8")


def _rules() -> Iterator[str]:
    rule = {"rule": "self.size > 0"}
    sizes = {"size": {"type": "integer"}}
    probe = {"type": "object", "properties": sizes, "x-kubernetes-validations": [rule]}
    is_asked = bool(schemas.compile(probe).validate({"size": 0}))
    how = "evaluated" if is_asked else "stored and **not evaluated**"
    yield f"Rules in CEL (`x-kubernetes-validations`) are {how}."


def _differences() -> Iterator[str]:
    for one in LISTED:
        yield f"- {one.reason}"
    yield ""
    yield "Not compared, because two servers cannot agree on it:"
    yield ""
    for what, why in NORMALISED.items():
        yield f"- {what}: {why}"


def _commands() -> Iterator[str]:
    yield from _head("what", "commands compared", "among them")
    for case in sorted(CASES.glob("*.txt")):
        lines = [one for one in case.read_text(encoding="utf-8").splitlines() if one.strip()]
        lines = [one for one in lines if not one.startswith(("- ", "#"))]
        words = (found for one in lines for found in re.findall(r"kubectl ([a-z-]+)", one))
        yield _row(case.stem.replace("-", " "), str(len(lines)), ", ".join(dict.fromkeys(words)))


def _head(*cells: str) -> Iterable[str]:
    return (_row(*cells), _row(*("---" for _ in cells)))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


_TABLES: Final[Mapping[str, Callable[[], Iterator[str]]]] = {
    "resources": _resources,
    "subresources": _subresources,
    "patches": _patches,
    "forms": _forms,
    "options": _options,
    "printers": _printers,
    "validated": _validated,
    "errors": _errors,
    "controllers": _controllers,
    "rules": _rules,
    "differences": _differences,
    "commands": _commands,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
