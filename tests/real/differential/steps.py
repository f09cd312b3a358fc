"""What a case does: steps on objects, the same in every world."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from oneco.kube.api import Api, DeleteOptions, Patch, WriteOptions
from oneco.kube.errors import ApiError
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from tests.real.differential.pace import Pace

NAME = "NAME"
"""Stands in a body where the case's own name goes: each case has its objects for itself."""

_heard: contextvars.ContextVar[list[str] | None] = contextvars.ContextVar("heard", default=None)


class Step(NamedTuple):
    """One request. A replace says `is_current` where it carries the version that is stored."""

    verb: str
    body: Any = None
    options: Mapping[str, Any] = {}
    subresource: str = ""
    is_current: bool = False


class Case(NamedTuple):
    """Steps one after the other on one object, which is read again at the end."""

    resource: Resource
    steps: Sequence[Step]
    is_namespaced: bool = True


Outcome = dict[str, Any]


def hear(text: str) -> None:
    """Take down a warning for the step that it came with."""
    heard = _heard.get()
    if heard is not None:
        heard.append(text)


@contextlib.contextmanager
def hearing() -> Iterator[list[str]]:
    """The warnings that come until the context ends."""
    heard: list[str] = []
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


class Place(NamedTuple):
    """Where a case is played: one world, the case's namespace and name, and its pace."""

    api: Api
    namespace: str
    name: str
    pace: Pace


async def play(place: Place, case: Case) -> list[Outcome]:
    """What each step of `case` came to, and the object as it is then."""
    at = Address(case.resource, place.namespace if case.is_namespaced else "", place.name)
    outcomes = []
    for step in (*case.steps, Step("get")):
        place.pace.before()
        found = await outcome(place.api, at, named(step, place.name))
        place.pace.after(found.get("object") or {})
        outcomes.append(found)
    return outcomes


async def outcome(api: Api, at: Address, step: Step) -> Outcome:
    """What one step came to: the object or the error, and the warnings."""
    at = at._replace(subresource=step.subresource)
    with hearing() as heard:
        try:
            if step.is_current:
                step = await _current(api, at, step)
            answer = await _VERBS[step.verb](api, at, step)
        except ApiError as error:
            return {"error": error.status()}
    return {"object": answer} | ({"warnings": heard} if heard else {})


def named(step: Step, name: str) -> Step:
    """The step with the case's name where it says NAME."""
    return step._replace(body=_named(step.body, name))


def _named(value: Any, name: str) -> Any:
    if isinstance(value, str):
        return value.replace(NAME, name) if NAME in value else value
    if isinstance(value, dict):
        return {_named(key, name): _named(part, name) for key, part in value.items()}
    return [_named(part, name) for part in value] if isinstance(value, list) else value


async def _current(api: Api, at: Address, step: Step) -> Step:
    live = await api.get(at._replace(subresource=""))
    meta = {**step.body.get("metadata", {}), "resourceVersion": live["metadata"]["resourceVersion"]}
    return step._replace(body={**step.body, "metadata": meta})


async def _create(api: Api, at: Address, step: Step) -> Object:
    return await api.create(at._replace(name=""), step.body, WriteOptions(**step.options))


async def _replace(api: Api, at: Address, step: Step) -> Object:
    return await api.replace(at, step.body, WriteOptions(**step.options))


async def _apply(api: Api, at: Address, step: Step) -> Object:
    return await api.apply(at, step.body, WriteOptions(**step.options))


async def _delete(api: Api, at: Address, step: Step) -> Object:
    return await api.delete(at, DeleteOptions(**step.options))


async def _get(api: Api, at: Address, step: Step) -> Object:
    return await api.get(at)


def _patch(kind: Any) -> Callable[..., Any]:
    async def patch(api: Api, at: Address, step: Step) -> Object:
        return await api.patch(at, Patch(kind, step.body), WriteOptions(**step.options))

    return patch


_VERBS: Mapping[str, Callable[..., Any]] = {
    "create": _create,
    "replace": _replace,
    "apply": _apply,
    "delete": _delete,
    "get": _get,
    "json": _patch("json"),
    "merge": _patch("merge"),
    "strategic": _patch("strategic"),
}
