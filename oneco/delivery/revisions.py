"""ApplicationRevisions: what an Application said at one time, with everything it became."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from oneco.delivery import manifests
from oneco.delivery.placing import owner_of
from oneco.delivery.plan import Plan, Scope, pieces
from oneco.delivery.ports import Definition, Family, Registry, lookup
from oneco.delivery.seen import REVISIONS_LIMIT, ApplicationSeen, number_of
from oneco.kinds import naming
from oneco.kinds.oam import NAME_LABEL, PUBLISH_VERSION, REVISION_HASH_LABEL, REVISIONS
from oneco.kube import objects
from oneco.kube.objects import Json, Object, dig, encode, put
from oneco.kube.remembered import Remembered

_FAMILIES: tuple[tuple[Family, str, str], ...] = (
    ("component", "componentDefinitions", "ComponentDefinition"),
    ("trait", "traitDefinitions", "TraitDefinition"),
    ("policy", "policyDefinitions", "PolicyDefinition"),
)


class Revised(NamedTuple):
    """A revision that holds all variants asked for, and the variant of each scope."""

    revision: Object
    variants: Mapping[Scope, str]


_digests: Remembered[str] = Remembered()


def content_hash(application: Object) -> str:
    """Equal for Applications that deliver the same; policies of release are no content."""
    version = objects.annotations_of(application).get(PUBLISH_VERSION, "")
    digest = _digests.ask(_digest, application.get("spec") or {})
    return naming.digest(digest, version, length=16)


def _digest(spec: Object) -> str:
    return naming.digest(encode(_content(spec)).decode(), length=64)


def content(application: Object) -> Object:
    """The spec of `application` without its policies of release."""
    return _content(application.get("spec") or {})


def _content(spec: Object) -> Object:
    policies = spec.get("policies") or ()
    kept = [one for one in policies if (one.get("type") or "").partition("@")[0] != "release"]
    if len(kept) == len(policies):
        return spec
    return {**spec, "policies": kept} if kept else objects.drop(spec, ("policies",))


def current(seen: ApplicationSeen) -> Object | None:
    """The newest revision, if it says what the Application says now."""
    if not seen.revisions:
        return None
    newest = seen.revisions[-1]
    digest = objects.labels(newest).get(REVISION_HASH_LABEL)
    return newest if digest == content_hash(seen.application) else None


def next_number(seen: ApplicationSeen) -> int:
    """The number of the next revision; one that was once used for other content stays used."""
    latest = dig(seen.application, "status", "latestRevision", default={})
    last = int(latest.get("revision") or 0)
    newest = number_of(seen.revisions[-1]) if seen.revisions else 0
    if last > newest and latest.get("revisionHash") == content_hash(seen.application):
        # It was made already and is only not seen yet: making it again changes nothing.
        return last
    return max(last, newest) + 1


def revise(
    plan: Plan, seen: ApplicationSeen, wanted: Iterable[Scope], registry: Registry
) -> Revised:
    """The revision of what the Application says now, with a variant for every wanted scope.

    A scope that the revision has already keeps its variant, whatever today's definitions would
    make of it: newer definitions change nothing until a person does.
    """
    found = current(seen)
    name = objects.name(found) if found else f"{plan.owner.name}-v{next_number(seen)}"
    rows: list[Json] = list(dig(found or {}, "spec", "variants", default=()))
    held = {scope: row["hash"] for row in rows for scope in row.get("scopes") or ()}
    variants: dict[Scope, str] = {}
    changed = False
    for scope in wanted:
        key = scope_key(scope)
        if key not in held:
            held[key] = _add(rows, scope, name, plan, registry)
            changed = True
        variants[scope] = held[key]
    if found is None:
        return Revised(_revision(plan, seen, name, rows, registry), variants)
    return Revised(put(found, ("spec", "variants"), rows) if changed else found, variants)


def scope_key(scope: Scope) -> str:
    """The name of a scope inside a revision."""
    return naming.digest(encode(scope).decode())


def _add(rows: list[Json], scope: Scope, revision: str, plan: Plan, registry: Registry) -> str:
    """Put the variant of `scope` into `rows`, or the scope to the variant that is there."""
    made, digest = pieces(plan, scope, registry)
    key = scope_key(scope)
    for index, row in enumerate(rows):
        if row["hash"] == digest:
            rows[index] = {**row, "scopes": [*(row.get("scopes") or ()), key]}
            return digest
    manifests_ = [
        {
            "component": piece.component,
            "trait": piece.trait,
            "manifest": manifests.stamp(piece, revision),
            "reads": list(piece.reads),
        }
        for piece in made
    ]
    rows.append({"hash": digest, "scopes": [key], "manifests": manifests_})
    return digest


def _revision(
    plan: Plan, seen: ApplicationSeen, name: str, rows: Sequence[Json], registry: Registry
) -> Object:
    application = seen.application
    metadata = objects.metadata(application)
    kept = {key: metadata[key] for key in ("name", "labels", "annotations") if key in metadata}
    snapshot = {
        "apiVersion": "core.oam.dev/v1beta1",
        "kind": "Application",
        "metadata": {**kept, "namespace": plan.owner.namespace},
        "spec": content(application),
    }
    return {
        "apiVersion": REVISIONS.api_version,
        "kind": "ApplicationRevision",
        "metadata": {
            "name": name,
            "namespace": plan.owner.namespace,
            "labels": {
                NAME_LABEL: plan.owner.name,
                REVISION_HASH_LABEL: content_hash(application),
            },
            "ownerReferences": [owner_of(application)],
        },
        "spec": {
            "application": snapshot,
            **_definitions(plan, registry),
            "variants": list(rows),
        },
    }


def _definitions(plan: Plan, registry: Registry) -> dict[str, Any]:
    """The definitions that were used, by name, with their versions."""
    used: dict[str, set[str]] = {
        "component": {one.type for one in plan.components},
        "trait": {trait.type for one in plan.components for trait in one.traits},
        "policy": {one.type for one in plan.policies.values()},
    }
    found: dict[str, Any] = {}
    for family, field, kind in _FAMILIES:
        specs = {
            name: _definition_spec(definition)
            for name in sorted(used[family])
            if (definition := lookup(registry, family, name)) is not None
        }
        if specs:
            found[field] = {
                name: {
                    "apiVersion": REVISIONS.api_version,
                    "kind": kind,
                    "metadata": {"name": name},
                    "spec": spec,
                }
                for name, spec in specs.items()
            }
    return found


def _definition_spec(definition: Definition) -> Object:
    spec = {"version": definition.version}
    if definition.family != "component":
        return spec
    return {**spec, "workload": {"type": definition.workload_type}}


def surplus(seen: ApplicationSeen) -> list[Object]:
    """The revisions beyond the limit that no unit runs, or would return to."""
    if seen.units is None or len(seen.revisions) <= REVISIONS_LIMIT:
        return []
    needed = {name for unit in seen.units for name in _named(unit)} | {
        dig(one, "spec", "revision", default="") for one in seen.releases[-1:]
    }
    old = seen.revisions[:-REVISIONS_LIMIT]
    return [one for one in old if objects.name(one) not in needed]


def _named(unit: Object) -> tuple[str, ...]:
    return tuple(
        str(dig(unit, *path, default=""))
        for path in (
            ("spec", "revision"),
            ("status", "good", "revision"),
            ("status", "before", "revision"),
        )
    )
