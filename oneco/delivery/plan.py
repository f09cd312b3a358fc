"""What an Application asks for: its components, its policies, and the order of its delivery."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from oneco.delivery import manifests, ordering, usage, validation, workflow
from oneco.delivery.manifests import Owner, Piece
from oneco.delivery.mistakes import Mistakes, within
from oneco.delivery.overrides import OverrideParameters, apply
from oneco.delivery.ports import Registry, lookup
from oneco.delivery.topologies import TopologyParameters
from oneco.delivery.usage import ComponentUse
from oneco.delivery.workflow import Names, Stage
from oneco.errors import Refused
from oneco.kinds import durations
from oneco.kinds.oam import ApplicationSpec
from oneco.kinds.release import PolicySpec
from oneco.kube import names, objects
from oneco.kube.objects import Object
from oneco.kube.remembered import Remembered

LONGEST_NAME = 50
"""Of an Application: its revisions' names are labels too, and those are at most 63 long."""


class Layer(NamedTuple):
    """One way in which a cluster gets components: all of them, or those that are named."""

    overrides: tuple[str, ...] = ()
    namespace: str = ""
    components: tuple[str, ...] | None = None


Scope = tuple[Layer, ...]
"""Everything that one cluster gets, as inputs: equal scopes give equal objects."""


class Plan(NamedTuple):
    """An Application, read and checked as far as it can be without knowing clusters."""

    owner: Owner
    components: tuple[ComponentUse, ...]
    policies: Mapping[str, Read]
    stages: tuple[Stage, ...]
    is_implicit: bool
    warnings: tuple[str, ...]

    @property
    def topologies(self) -> dict[str, TopologyParameters]:
        """The topology policies by name."""
        return {
            name: one.parameters
            for name, one in self.policies.items()
            if isinstance(one.parameters, TopologyParameters)
        }

    @property
    def release(self) -> PolicySpec | None:
        """The Application's own policy of release."""
        for one in self.policies.values():
            if isinstance(one.parameters, PolicySpec):
                return one.parameters
        return None


class Read(NamedTuple):
    """A policy's parameters; `path` is where they are written."""

    type: str
    parameters: Any
    path: str


_plans: Remembered[dict[Owner, Plan]] = Remembered(2048)


def read(application: Object, registry: Registry) -> Plan:
    """The plan of `application`; Mistakes name everything that is wrong with it.

    The same spec of the same Application has the very same plan.
    """
    owner = Owner(objects.name(application), objects.namespace(application) or "default")
    given: Object = application.get("spec") or {}
    plans = _plans.ask(lambda *_: {}, given, registry)
    if owner not in plans:
        plans[owner] = _read(owner, given, registry)
    return plans[owner]


def _read(owner: Owner, given: Object, registry: Registry) -> Plan:
    spec = validation.read(ApplicationSpec, given, "spec")
    mistakes = _wrong_names(owner, spec)
    components, warnings = _components(spec)
    policies = _policies(spec, registry, mistakes)
    stages: tuple[Stage, ...] = ()
    try:
        ordering.check(components)
        stages = workflow.read(spec.workflow, _names(components, policies))
    except Refused as error:
        mistakes += within("", error)
    if mistakes:
        raise Mistakes(mistakes)
    is_implicit = not (spec.workflow and spec.workflow.steps)
    return Plan(owner, components, policies, stages, is_implicit, warnings)


def _names(components: tuple[ComponentUse, ...], policies: Mapping[str, Read]) -> Names:
    def of(kind: type) -> list[str]:
        return [name for name, one in policies.items() if isinstance(one.parameters, kind)]

    return Names([one.name for one in components], of(TopologyParameters), of(OverrideParameters))


def _wrong_names(owner: Owner, spec: ApplicationSpec) -> list[Refused]:
    found: list[Refused] = []
    if not owner.name or len(owner.name) > LONGEST_NAME:
        wanted = f"a name of at most {LONGEST_NAME} letters"
        found.append(Refused("metadata.name", found=owner.name or "nothing", wanted=wanted))
    if not spec.components:
        found.append(Refused("spec.components", found="an empty list", wanted="a component"))
    for position, component in enumerate(spec.components):
        path = f"spec.components[{position}]"
        for fault in names.label_faults(component.name):
            found.append(Refused(f"{path}.name", found=component.name, wanted=f"a name: {fault}"))
        for field in ("inputs", "outputs"):
            if getattr(component, field):
                wanted = "nothing: components cannot pass values to each other"
                found.append(Refused(f"{path}.{field}", found="a value", wanted=wanted))
    return found


def _components(spec: ApplicationSpec) -> tuple[tuple[ComponentUse, ...], tuple[str, ...]]:
    """The components; of two with one name the first counts, as in KubeVela, with a warning."""
    kept: dict[str, ComponentUse] = {}
    warnings: list[str] = []
    for position, component in enumerate(spec.components):
        path = f"spec.components[{position}]"
        if component.name in kept:
            first = kept[component.name].path
            warnings.append(f'{path} is left out: {first} is named "{component.name}" too')
        else:
            kept[component.name] = usage.of(component, path)
    return tuple(kept.values()), tuple(warnings)


def _policies(
    spec: ApplicationSpec, registry: Registry, mistakes: list[Refused]
) -> dict[str, Read]:
    policies: dict[str, Read] = {}
    releases = 0
    for position, policy in enumerate(spec.policies or ()):
        path = f"spec.policies[{position}]"
        name = policy.name or policy.type
        if name in policies:
            wanted = "a name that no other policy has"
            mistakes.append(Refused(f"{path}.name", found=name, wanted=wanted))
        definition = lookup(registry, "policy", policy.type)
        if definition is None:
            mistakes.append(manifests.unknown_type(registry, "policy", policy.type, path))
            continue
        where = f"{path}.properties"
        try:
            parameters = validation.read(definition.parameters, policy.properties, where)
            if isinstance(parameters, PolicySpec):
                releases += 1
                check_release(parameters, where)
        except Refused as error:
            mistakes += within("", error)
            continue
        if releases > 1 and isinstance(parameters, PolicySpec):
            wanted = "one policy of type release at most"
            mistakes.append(Refused(path, found="another one", wanted=wanted))
        policies[name] = Read(policy.type, parameters, where)
    return policies


def check_release(policy: PolicySpec, path: str) -> None:
    """Refuse what the schema of a release policy cannot say: durations, shares."""
    named = [
        ("batchSilence", policy.batch_silence),
        ("waveSilence", policy.wave_silence),
        ("progressDeadline", policy.progress_deadline),
        *((f"waves[{index}].silence", wave.silence) for index, wave in enumerate(policy.waves)),
    ]
    mistakes: list[Refused] = []
    for field, text in named:
        if text:
            try:
                durations.parse(text, f"{path}.{field}")
            except Refused as error:
                mistakes += within("", error)
    # A batch of no pods at all is one: everything else of the version comes before its pods.
    batches = [(f"batches[{index}]", share) for index, share in enumerate(policy.batches)]
    waves = [(f"waves[{index}].upTo", wave.up_to) for index, wave in enumerate(policy.waves)]
    for shares, may_be_nothing in ((batches, True), (waves, False)):
        mistakes += [
            _wrong_share(f"{path}.{field}", one)
            for field, one in shares
            if not _is_share(one, may_be_nothing=may_be_nothing)
        ]
    if mistakes:
        raise Mistakes(mistakes)


_percent = re.compile(r"(100(\.0+)?|\d{1,2}(\.\d+)?)%").fullmatch


def _wrong_share(path: str, share: str | int) -> Refused:
    return Refused(path, found=share, wanted='a share such as "10%" or a number of at least 1')


def _is_share(share: str | int, *, may_be_nothing: bool) -> bool:
    if isinstance(share, int):
        amount = float(share)
    elif _percent(share):
        amount = float(share.removesuffix("%"))
    else:
        return False
    return amount > 0 or (may_be_nothing and amount == 0)


def pieces(plan: Plan, scope: Scope, registry: Registry) -> tuple[tuple[Piece, ...], str]:
    """What a cluster of this scope gets, in order, and its hash; Mistakes name what is wrong."""
    made = []
    mistakes: dict[str, Refused] = {}
    for layer in scope:
        components = plan.components
        for name in layer.overrides:
            override = plan.policies[name]
            components = apply(components, override.parameters, override.path)
        namespace = layer.namespace or plan.owner.namespace
        for component in ordering.order(components):
            if layer.components is not None and component.name not in layer.components:
                continue
            try:
                made.append(manifests.component(component, plan.owner, namespace, registry))
            except Refused as error:
                mistakes |= {str(one): one for one in within("", error)}
    if mistakes:
        raise Mistakes(tuple(mistakes.values()))
    return manifests.union(made)
