"""Nobody grants what is not theirs: comparing what somebody holds with what would be granted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from oneco.kube.rbac import Rule, Rules, User, covers_path, told

EVERYTHING: Final[tuple[Rule, ...]] = (
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
)
_SHOWN: Final = (
    ("APIGroups", "apiGroups"),
    ("Resources", "resources"),
    ("NonResourceURLs", "nonResourceURLs"),
    ("ResourceNames", "resourceNames"),
    ("Verbs", "verbs"),
)


def fault(user: User, held: Rules, granted: Iterable[Rule], plural: str) -> str:
    """What `user` would grant without holding it, in Kubernetes' words; empty if nothing.

    `plural` is the resource that the request is about.
    """
    missing = uncovered(held.rules, granted)
    if not missing:
        return ""
    groups = " ".join(map(_quoted, user.groups))
    lines = "\n".join(sorted(set(map(_shown, _compact(missing)))))
    text = (
        f"user {_quoted(user.name)} (groups=[{groups}]) is attempting to grant RBAC permissions"
        f" not currently held:\n{lines}"
    )
    if held.faults:
        # The real server looks roles up in the name of the request, and so names its resource.
        found = [
            f'{plural}.rbac.authorization.k8s.io "{one.name}" not found' for one in held.faults
        ]
        text += f"; resolution errors: [{told(found).strip('[]')}]"
    return text


def uncovered(held: Sequence[Rule], granted: Iterable[Rule]) -> list[Rule]:
    """The smallest parts of `granted` that no single rule of `held` covers."""
    return [
        part
        for rule in granted
        for part in _parts(rule)
        if not any(_covers(owned, part) for owned in held)
    ]


def _parts(rule: Rule) -> Iterator[Rule]:
    """A rule as many that have one verb, one resource and at most one name each."""
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in rule.get("verbs") or ():
                part = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
                names = rule.get("resourceNames") or ()
                yield from ({**part, "resourceNames": [name]} for name in names)
                if not names:
                    yield part
    for path in rule.get("nonResourceURLs") or ():
        for verb in rule.get("verbs") or ():
            yield {"nonResourceURLs": [path], "verbs": [verb]}


def _covers(owned: Rule, part: Rule) -> bool:
    names, wanted = owned.get("resourceNames") or (), part.get("resourceNames") or ()
    is_named = not names or (bool(wanted) and set(wanted) <= set(names))
    return (
        is_named
        and _holds(owned.get("verbs"), part.get("verbs"))
        and _holds(owned.get("apiGroups"), part.get("apiGroups"))
        and _holds_resources(owned.get("resources") or (), part.get("resources") or ())
        and all(
            any(covers_path(one, path) for one in owned.get("nonResourceURLs") or ())
            for path in part.get("nonResourceURLs") or ()
        )
    )


def _holds(owned: Sequence[str] | None, wanted: Sequence[str] | None) -> bool:
    return "*" in (owned or ()) or set(wanted or ()) <= set(owned or ())


def _holds_resources(owned: Sequence[str], wanted: Sequence[str]) -> bool:
    if "*" in owned:
        return True
    return all(
        one in owned or ("/" in one and f"*/{one.partition('/')[2]}" in owned) for one in wanted
    )


def _compact(rules: Iterable[Rule]) -> list[Rule]:
    """Parts that differ by their verb alone as one rule."""
    found: dict[tuple[Any, ...], Rule] = {}
    others = []
    for rule in rules:
        if rule.get("nonResourceURLs"):
            others.append(rule)
            continue
        key = tuple(
            tuple(rule.get(part, ())) for part in ("apiGroups", "resources", "resourceNames")
        )
        held = found.get(key)
        verbs = [*(held["verbs"] if held else ()), *rule["verbs"]]
        found[key] = {**rule, "verbs": verbs}
    return [*others, *found.values()]


def _shown(rule: Rule) -> str:
    parts = [
        f"{shown}:[{' '.join(map(_quoted, rule[key]))}]" for shown, key in _SHOWN if rule.get(key)
    ]
    return f"{{{', '.join(parts)}}}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
