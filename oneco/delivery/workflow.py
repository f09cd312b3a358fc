"""The order of a delivery: stages, one Release each, from written steps or made as KubeVela does.

Steps that KubeVela makes for an Application without any go out together, as one Release whose
waves decide the order. Written `deploy` steps follow each other; `apply-component` steps that
stand together are one stage; `suspend`, and `auto: false` of a deploy, wait for a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from oneco.delivery import validation
from oneco.delivery.mistakes import Mistakes, one_of, within
from oneco.delivery.ports import Parameters, split_type
from oneco.errors import Refused
from oneco.kinds import durations
from oneco.kinds.oam import Step, Workflow
from oneco.kube import names as names_

SUPPORTED = ("apply-component", "deploy", "suspend")


class Deploy(NamedTuple):
    """What one step delivers; no topologies mean every cluster, no components mean all."""

    topologies: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    components: tuple[str, ...] | None = None
    cluster: str = ""
    namespace: str = ""


class StepName(NamedTuple):
    """A step as the status shows it."""

    name: str
    type: str


class Stage(NamedTuple):
    """Steps that are delivered together; `name` is empty where a workflow has only one stage."""

    name: str
    steps: tuple[StepName, ...]
    deploys: tuple[Deploy, ...] = ()
    awaits_resume: bool = False
    resumes_after_seconds: float | None = None
    message: str = ""


class Names(NamedTuple):
    """What steps may refer to."""

    components: Sequence[str]
    topologies: Sequence[str]
    overrides: Sequence[str]


class DeployParameters(Parameters, frozen=True, kw_only=True):
    """The parameters of a `deploy` step."""

    policies: tuple[str, ...] = ()
    auto: bool = True
    parallelism: int = 5
    ignore_terraform_component: bool = True


class ApplyComponentParameters(Parameters, frozen=True, kw_only=True):
    """The parameters of an `apply-component` step."""

    component: str
    cluster: str = ""
    namespace: str = ""


class SuspendParameters(Parameters, frozen=True, kw_only=True):
    """The parameters of a `suspend` step."""

    duration: str | None = None
    message: str = ""


def read(workflow: Workflow | None, names: Names) -> tuple[Stage, ...]:
    """The stages of a delivery; Mistakes name all steps that cannot be done."""
    if workflow is not None and workflow.ref:
        wanted = "steps written in the Application itself"
        raise Refused("spec.workflow.ref", found=workflow.ref, wanted=wanted)
    steps = (workflow.steps if workflow is not None else None) or ()
    return _explicit(steps, names) if steps else (_implicit(names),)


def _implicit(names: Names) -> Stage:
    overrides = tuple(names.overrides)
    if names.topologies:
        steps = [StepName(f"deploy-{name}", "deploy") for name in names.topologies]
        deploys = [Deploy((name,), overrides) for name in names.topologies]
        return Stage("", tuple(steps), tuple(deploys))
    if overrides:
        return Stage("", (StepName("deploy", "deploy"),), (Deploy((), overrides),))
    steps = [StepName(name, "apply-component") for name in names.components]
    return Stage("", tuple(steps), (Deploy(),))


def _explicit(steps: Sequence[Step], names: Names) -> tuple[Stage, ...]:
    mistakes: list[Refused] = []
    stages: list[Stage] = []
    known: set[str] = set()
    for position, step in enumerate(steps):
        path = f"spec.workflow.steps[{position}]"
        mistakes += _unsupported(step, path, known)
        known.add(step.name)
        try:
            stage = _stage(step, f"{path}.properties", names)
        except Refused as error:
            mistakes += within("", error)
            continue
        if stages and _go_together(stages[-1], stage):
            before = stages.pop()
            stage = before._replace(
                steps=before.steps + stage.steps, deploys=before.deploys + stage.deploys
            )
        stages.append(stage)
    if mistakes:
        raise Mistakes(mistakes)
    return tuple(stages) if len(stages) > 1 else (stages[0]._replace(name=""),)


def _go_together(before: Stage, stage: Stage) -> bool:
    return all(one.steps[0].type == "apply-component" for one in (before, stage))


def _unsupported(step: Step, path: str, known: set[str]) -> list[Refused]:
    """The mistakes of a step that do not depend on its type."""
    found: list[Refused] = []
    kind, _ = split_type(step.type)
    if kind not in SUPPORTED:
        wanted = f"a step that can be done: {one_of(SUPPORTED, kind)}"
        return [Refused(f"{path}.type", found=step.type, wanted=wanted)]
    for fault in names_.label_faults(step.name):
        found.append(Refused(f"{path}.name", found=step.name, wanted=f"a name: {fault}"))
    if step.name in known:
        wanted = "a name that no other step has"
        found.append(Refused(f"{path}.name", found=step.name, wanted=wanted))
    fields = (("if", step.if_), ("inputs", step.inputs), ("timeout", step.timeout))
    for field, value in (*fields, ("subSteps", step.sub_steps)):
        if value:
            wanted = "nothing: steps are done one after the other, whatever came before"
            found.append(Refused(f"{path}.{field}", found="a value", wanted=wanted))
    for index, name in enumerate(step.depends_on or ()):
        if name not in known:
            wanted = f"the name of an earlier step: {one_of(known, name)}"
            found.append(Refused(f"{path}.dependsOn[{index}]", found=name, wanted=wanted))
    return found


def _stage(step: Step, path: str, names: Names) -> Stage:
    shown = (StepName(step.name, step.type),)
    kind, _ = split_type(step.type)
    if kind == "deploy":
        parameters = validation.read(DeployParameters, step.properties, path)
        deploy = _deploy(parameters, path, names)
        return Stage(step.name, shown, (deploy,), awaits_resume=not parameters.auto)
    if kind == "apply-component":
        applied = validation.read(ApplyComponentParameters, step.properties, path)
        if applied.component not in names.components:
            wanted = f"the name of a component: {one_of(names.components, applied.component)}"
            raise Refused(f"{path}.component", found=applied.component, wanted=wanted)
        deploy = Deploy((), (), (applied.component,), applied.cluster, applied.namespace)
        return Stage(step.name, shown, (deploy,))
    if kind == "suspend":
        suspended = validation.read(SuspendParameters, step.properties, path)
        seconds = None
        if suspended.duration is not None:
            seconds = durations.parse(suspended.duration, f"{path}.duration")
        return Stage(step.name, shown, (), True, seconds, suspended.message)
    return Stage(step.name, shown)


def _deploy(parameters: DeployParameters, path: str, names: Names) -> Deploy:
    unknown = [
        Refused(f"{path}.policies[{index}]", found=name, wanted=_policy_words(names, name))
        for index, name in enumerate(parameters.policies)
        if name not in names.topologies and name not in names.overrides
    ]
    if unknown:
        raise Mistakes(unknown)
    topologies = tuple(name for name in parameters.policies if name in names.topologies)
    return Deploy(
        topologies, tuple(name for name in parameters.policies if name in names.overrides)
    )


def _policy_words(names: Names, found: str) -> str:
    known = (*names.topologies, *names.overrides)
    return f"the name of a topology or override policy: {one_of(known, found)}"
