"""What is wrong with an Application before its definitions are looked at."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from oneco.errors import Refused
from oneco.kinds import oam, schemas
from oneco.kinds.mistakes import duration, from_refusal, repeated
from oneco.kinds.parts import parse
from oneco.kinds.release import PolicySpec
from oneco.kinds.validity_policy import policy
from oneco.kube import causes, names, objects, schema
from oneco.kube.errors import Cause
from oneco.kube.objects import Object, dig

RELEASE_POLICY_TYPE: Final = "release"


def application(obj: Object) -> list[Cause]:
    """What is wrong with an Application: names, dependencies, the release policy, the workflow."""
    spec = parse(oam.ApplicationSpec, obj.get("spec"), "spec")
    name = objects.name(obj)
    # The name becomes a label and a part of other names.
    found = [causes.invalid("metadata.name", name, fault) for fault in names.label_faults(name)]
    found += _components(spec.components)
    found += _dependencies(
        (f"spec.components[{i}]", one.name, one.depends_on or ())
        for i, one in enumerate(spec.components)
    )
    found += _policies(obj, spec.policies or ())
    return found + (_workflow(spec.workflow) if spec.workflow else [])


def _components(components: Sequence[oam.Component]) -> list[Cause]:
    found: list[Cause] = []
    for index, component in enumerate(components):
        where = f"spec.components[{index}]"
        faults = names.label_faults(component.name)
        found += [causes.invalid(f"{where}.name", component.name, fault) for fault in faults]
        found += _typed(component.type, where)
        traits = component.traits or ()
        for position, trait in enumerate(traits):
            found += _typed(trait.type, f"{where}.traits[{position}]")
    return found + repeated(
        (f"spec.components[{i}].name", one.name) for i, one in enumerate(components)
    )


def _typed(type_: str, where: str) -> list[Cause]:
    return [] if type_ else [causes.required(f"{where}.type", "the name of a definition")]


def _policies(obj: Object, policies: Sequence[oam.Policy]) -> list[Cause]:
    found: list[Cause] = []
    for index, one in enumerate(policies):
        where = f"spec.policies[{index}]"
        found += _typed(one.type, where)
        if one.type == RELEASE_POLICY_TYPE:
            written = dig(obj, "spec", "policies", index, "properties", default={})
            found += _release_policy(written, f"{where}.properties")
    release = [i for i, one in enumerate(policies) if one.type == RELEASE_POLICY_TYPE]
    for index in release[1:]:
        why = f"spec.policies[{release[0]}] is of that type; an Application has one release policy"
        found.append(causes.forbidden(f"spec.policies[{index}].type", why))
    return found + repeated(
        (f"spec.policies[{i}].name", one.name) for i, one in enumerate(policies)
    )


@functools.cache
def _policy_schema() -> schema.Schema:
    return schema.compile(schemas.structural(PolicySpec))


def _release_policy(properties: Object, where: str) -> list[Cause]:
    # The Application's own schema keeps properties as they are, so their schema is asked here.
    compiled = _policy_schema()
    wrong = compiled.validate(properties)
    if wrong:
        return [cause._replace(field=f"{where}.{cause.field}") for cause in wrong]
    unknown = [text.split('"')[1] for text in compiled.unknown_fields(properties)]
    accepted = ", ".join(sorted(_policy_fields()))
    if unknown:
        why = f"there is no such field; there are {accepted}"
        return [causes.forbidden(f"{where}.{path}", why) for path in unknown]
    try:
        return policy(parse(PolicySpec, properties, where), where)
    except Refused as refusal:
        return [from_refusal(refusal)]


@functools.cache
def _policy_fields() -> frozenset[str]:
    return frozenset(schemas.structural(PolicySpec)["properties"])


def _workflow(workflow: oam.Workflow) -> list[Cause]:
    steps = workflow.steps or ()
    found: list[Cause] = []
    named: list[tuple[str, str]] = []
    nodes: list[tuple[str, str, Sequence[str]]] = []
    for index, step in enumerate(steps):
        where = f"spec.workflow.steps[{index}]"
        found += _typed(step.type, where) + duration(step.timeout, f"{where}.timeout")
        named.append((f"{where}.name", step.name))
        nodes.append((where, step.name, step.depends_on or ()))
        for position, inner in enumerate(step.sub_steps or ()):
            place = f"{where}.subSteps[{position}]"
            part = parse(oam.Step, inner, place)
            found += _typed(part.type, place) + duration(part.timeout, f"{place}.timeout")
            named.append((f"{place}.name", part.name))
            nodes.append((place, part.name, part.depends_on or ()))
    return found + repeated(named) + _dependencies(nodes)


def _dependencies(nodes: Iterable[tuple[str, str, Sequence[str]]]) -> list[Cause]:
    """Dependencies on what is not there, and the first circle; nodes are path, name, needs."""
    listed = list(nodes)
    needs = {name: tuple(wanted) for _, name, wanted in listed if name}
    paths = {name: where for where, name, _ in listed}
    found = []
    for where, name, wanted in listed:
        for index, other in enumerate(wanted):
            if other not in needs:
                known = ", ".join(sorted(set(needs) - {name})) or "nothing else here"
                place = f"{where}.dependsOn[{index}]"
                found.append(causes.invalid(place, other, f"wanted one of: {known}"))
    circle = _circle(needs)
    if circle:
        shown = " → ".join((*circle, circle[0]))
        place = f"{paths[circle[0]]}.dependsOn"
        wanted_words = "wanted no circle: remove one of these dependencies"
        found.append(causes.invalid(place, shown, wanted_words))
    return found


def _circle(needs: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The names along one circle in the order of need, empty where there is none."""
    done: set[str] = set()
    for start in needs:
        trail: dict[str, None] = {}
        # Without recursion: a file may hold a chain longer than Python's stack.
        waiting = [iter((start,))]
        while waiting:
            name = next(waiting[-1], None)
            if name is None:
                waiting.pop()
                if trail:
                    done.add(trail.popitem()[0])
            elif name in trail:
                return tuple(trail)[tuple(trail).index(name) :]
            elif name in needs and name not in done:
                trail[name] = None
                waiting.append(iter(needs[name]))
    return ()
