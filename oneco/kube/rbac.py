"""Role-based access control: what the roles and bindings of one cluster allow whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from oneco.kube import objects, selectors
from oneco.kube.objects import Object, dig

GROUP: Final = "rbac.authorization.k8s.io"
ROLE_KINDS: Final = ("ClusterRole", "Role")
BINDING_KINDS: Final = ("ClusterRoleBinding", "RoleBinding")
SUPERUSERS: Final = "system:masters"
"""Whoever is in this group may do everything, whatever roles say."""

_ACCOUNT_PREFIX: Final = "system:serviceaccount:"
_MOST_REMEMBERED: Final = 4096

Rule = Object
"""A PolicyRule, as it stands in a role."""


class User(NamedTuple):
    """Who asks."""

    name: str
    groups: tuple[str, ...] = ()


class Asked(NamedTuple):
    """What somebody wants to do: with resources, or with a `path` that names none."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def combined(self) -> str:
        """The resource as rules name it."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class Verdict(NamedTuple):
    """Whether it is allowed, and why or why not, as far as there is something to say."""

    is_allowed: bool
    reason: str = ""


class Rules(NamedTuple):
    """All that somebody may do in a namespace; `faults` name roles that are bound and missing."""

    rules: tuple[Rule, ...]
    faults: tuple[Missing, ...] = ()


class Missing(NamedTuple):
    """A role that a binding names and that is not there."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f'{self.kind.lower()}.{GROUP} "{self.name}" not found'


class RoleBook:
    """The roles and bindings of one cluster, found by those whom they are for."""

    def __init__(self) -> None:
        # By namespace and name; those of the cluster have no namespace.
        self._roles: dict[tuple[str, str], tuple[Rule, ...]] = {}
        self._bindings: dict[tuple[str, str], Object] = {}
        self._by_subject: dict[tuple[str, str, str], set[str]] = {}
        # What was answered, until a role or binding changes.
        self._granted: dict[tuple[User, str], tuple[_Grant, ...]] = {}
        self._decided: dict[tuple[User, Asked], bool] = {}

    def put(self, obj: Object) -> None:
        """Take in a role or binding that is new or changed."""
        place = (objects.namespace(obj), objects.name(obj))
        if obj.get("kind") in ROLE_KINDS:
            self._roles[place] = tuple(obj.get("rules") or ())
        else:
            self._unbind(place)
            self._bindings[place] = obj
            for subject in _subjects(obj):
                self._by_subject.setdefault((place[0], *subject), set()).add(place[1])
        self._forget()

    def remove(self, obj: Object) -> None:
        """Forget a role or binding."""
        place = (objects.namespace(obj), objects.name(obj))
        if obj.get("kind") in ROLE_KINDS:
            self._roles.pop(place, None)
        else:
            self._unbind(place)
        self._forget()

    def is_allowed(self, user: User, asked: Asked) -> bool:
        """Whether `user` may do what is `asked`, without a word about it."""
        if SUPERUSERS in user.groups:
            return True
        key = (user, asked)
        found = self._decided.get(key)
        if found is None:
            if len(self._decided) >= _MOST_REMEMBERED:
                self._decided.clear()
            found = self._decided[key] = any(
                allows(rule, asked)
                for grant in self._grants(user, asked.namespace)
                for rule in grant.rules
            )
        return found

    def verdict(self, user: User, asked: Asked) -> Verdict:
        """Whether `user` may do what is `asked`."""
        if SUPERUSERS in user.groups:
            return Verdict(True)
        missing = []
        for grant in self._grants(user, asked.namespace):
            if grant.missing is not None:
                missing.append(grant.missing)
            elif any(allows(rule, asked) for rule in grant.rules):
                return Verdict(True, f"RBAC: allowed by {_described(grant, user)}")
        return Verdict(False, f"RBAC: {told(missing)}" if missing else "")

    def rules(self, user: User, namespace: str) -> Rules:
        """All that `user` is granted in `namespace` and, with it or without, in the cluster."""
        grants = self._grants(user, namespace)
        rules = tuple(rule for grant in grants for rule in grant.rules)
        return Rules(rules, tuple(grant.missing for grant in grants if grant.missing is not None))

    def rules_of(self, reference: Object, namespace: str) -> tuple[Rule, ...] | None:
        """The rules of the role that a binding in `namespace` refers to, None if it is missing."""
        is_local = reference.get("kind") == "Role"
        return self._roles.get((namespace if is_local else "", reference.get("name") or ""))

    def _forget(self) -> None:
        self._granted.clear()
        self._decided.clear()

    def _grants(self, user: User, namespace: str) -> tuple[_Grant, ...]:
        key = (user, namespace)
        found = self._granted.get(key)
        if found is None:
            if len(self._granted) >= _MOST_REMEMBERED:
                self._granted.clear()
            places = ("", namespace) if namespace else ("",)
            found = tuple(grant for place in places for grant in self._granted_in(place, user))
            self._granted[key] = found
        return found

    def _granted_in(self, namespace: str, user: User) -> Iterator[_Grant]:
        kinds = [("User", user.name), *(("Group", group) for group in user.groups)]
        bound = (self._by_subject.get((namespace, *kind), ()) for kind in kinds)
        for name in sorted({name for names in bound for name in names}):
            binding = self._bindings[namespace, name]
            reference = binding.get("roleRef") or {}
            rules = self.rules_of(reference, namespace)
            missing = Missing(reference.get("kind", ""), reference.get("name", ""))
            yield _Grant(binding, rules or (), missing if rules is None else None)

    def _unbind(self, place: tuple[str, str]) -> None:
        for subject in _subjects(self._bindings.pop(place, {})):
            names = self._by_subject.get((place[0], *subject), set())
            names.discard(place[1])
            if not names:
                self._by_subject.pop((place[0], *subject), None)


class _Grant(NamedTuple):
    """One binding that holds for somebody, with the rules of its role."""

    binding: Object
    rules: tuple[Rule, ...]
    missing: Missing | None = None


def allows(rule: Rule, asked: Asked) -> bool:
    """Whether one rule alone allows what is asked."""
    if not _has(rule.get("verbs"), asked.verb):
        return False
    if asked.path:
        return any(covers_path(one, asked.path) for one in rule.get("nonResourceURLs") or ())
    names = rule.get("resourceNames")
    return (
        _has(rule.get("apiGroups"), asked.group)
        and _has_resource(rule.get("resources") or (), asked)
        and (not names or asked.name in names)
    )


def covers_path(granted: str, path: str) -> bool:
    """Whether a rule about `granted` reaches `path`; a star at its end stands for anything."""
    if granted == path:
        return True
    return granted.endswith("*") and path.startswith(granted.rstrip("*"))


def told(missing: Sequence[object]) -> str:
    """Faults in a row, as Kubernetes words them."""
    texts = list(dict.fromkeys(map(str, missing)))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def aggregated(role: Object, roles: Iterable[Object]) -> list[Rule] | None:
    """The rules that a ClusterRole with an aggregationRule collects from `roles`, else None."""
    chosen = _selectors(role)
    if not chosen:
        return None
    others = sorted((one for one in roles if _is_other(one, role)), key=objects.name)
    found: list[Rule] = []
    for selector in chosen:
        for one in others:
            if selector.matches(objects.labels(one)):
                found += (rule for rule in one.get("rules") or () if rule not in found)
    return found


def is_chosen(role: Object, other: Object) -> bool:
    """Whether the aggregationRule of `role` chooses the ClusterRole `other`."""
    labels = objects.labels(other)
    return any(selector.matches(labels) for selector in _selectors(role))


def _selectors(role: Object) -> list[selectors.Selector]:
    chosen = dig(role, "aggregationRule", "clusterRoleSelectors", default=())
    return [selectors.from_object(one) for one in chosen]


def _is_other(one: Object, role: Object) -> bool:
    return objects.name(one) != objects.name(role)


def _has(values: Sequence[str] | None, wanted: str) -> bool:
    return bool(values) and (wanted in values or "*" in values)  # type: ignore[operator]


def _has_resource(resources: Sequence[str], asked: Asked) -> bool:
    if "*" in resources or asked.combined in resources:
        return True
    return bool(asked.subresource) and f"*/{asked.subresource}" in resources


def _subjects(binding: Object) -> Iterator[tuple[str, str]]:
    """Whom a binding is for: users and groups, an account by the user name that it has."""
    for one in binding.get("subjects") or ():
        kind, name = one.get("kind") or "", one.get("name") or ""
        if kind == "ServiceAccount":
            namespace = one.get("namespace") or objects.namespace(binding)
            yield "User", f"{_ACCOUNT_PREFIX}{namespace}:{name}"
        else:
            yield kind, name


def _described(grant: _Grant, user: User) -> str:
    binding = grant.binding
    name, namespace = objects.name(binding), objects.namespace(binding)
    shown = f"{name}/{namespace}" if namespace else name
    reference: Mapping[str, str] = binding.get("roleRef") or {}
    role = f'{reference.get("kind", "")} "{reference.get("name", "")}"'
    subject = next(_shown_subjects(binding, user))
    return f'{binding.get("kind")} "{shown}" of {role} to {subject}'


def _shown_subjects(binding: Object, user: User) -> Iterator[str]:
    mine = {("User", user.name), *(("Group", group) for group in user.groups)}
    written = binding.get("subjects") or ()
    for one, meant in zip(written, _subjects(binding), strict=True):
        if meant in mine:
            place = one.get("namespace") or objects.namespace(binding)
            is_account = one.get("kind") == "ServiceAccount"
            name = f"{one['name']}/{place}" if is_account else one["name"]
            yield f'{one["kind"]} "{name}"'
