"""Runs deciders: sources wake keys; a key is gathered, decided, performed and planned again."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from oneco.clock import Clock, Instant
from oneco.control.cache import Cache, CacheReader, Seen
from oneco.control.informer import Informer, Scope
from oneco.control.journal import Entry, Journal, Key, forget
from oneco.control.performing import Outcome, Performer
from oneco.control.queue import Queue
from oneco.decision import Decision, Failure, Follow, Reader, Side
from oneco.errors import Refused
from oneco.kube import objects
from oneco.kube.api import Api, Match
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource

_FIRST_BACKOFF_SECONDS, _LAST_BACKOFF_SECONDS = 1.0, 60.0

Wakes = Callable[[Reader, Seen], Iterable[Key]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A collection that wakes keys of a controller, and the labels it is looked up by.

    `settle_seconds` lets changes that come close together be looked at once.
    """

    resource: Resource
    wakes: Wakes
    namespace: str = ""
    side: Side = "hub"
    match: Match = Match()
    indexed: tuple[str, ...] = ()
    settle_seconds: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """A decider with what wakes it.

    A controller that `begins` things gives way to those that bring them to an end, so that of many
    at once some are done soon, instead of all being under way for long.

    `followed` wakes keys by the collections that decisions asked to follow, and lets them settle
    for `followed_settle_seconds`.
    """

    name: str
    sources: Sequence[Source]
    gather: Callable[[Reader, Key], Any | None]
    decide: Callable[[Any, Instant], Decision]
    begins: bool = False
    followed: Wakes | None = None
    followed_settle_seconds: float = 0.0


class _Route(NamedTuple):
    """Which controller a collection wakes, and how."""

    controller: str
    wakes: Wakes
    settle_seconds: float


Task = tuple[str, Key]


class Shell:
    """The controllers of one process over one hub and, for an agent, one member."""

    def __init__(
        self,
        apis: Mapping[Side, Api],
        controllers: Sequence[Controller],
        clock: Clock,
        *,
        journal: Journal = forget,
        workers: int = 1,
    ) -> None:
        self._apis, self._clock, self._journal = apis, clock, journal
        self._controllers = {controller.name: controller for controller in controllers}
        self.cache = Cache()
        self._performer = Performer(apis, self.cache)
        self._queue: Queue[Task] = Queue(clock, self._gives_way)
        self._worker_count = workers
        self._informers: dict[Scope, Informer] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._lookouts: dict[Task, asyncio.Task[None]] = {}
        self._preloaded: set[Side] = set()
        self._failures: dict[Task, dict[Address, Failure]] = {}
        self._stale: set[Task] = set()
        self._unread: dict[Task, str] = {}
        self._backoffs: dict[Task, float] = {}
        self._stopped: asyncio.Future[None] | None = None
        self._routes: dict[tuple[Side, Resource], list[_Route]] = {}
        self._index()
        self.cache.listen(self._wake)

    async def run(self) -> None:
        """Work until cancelled; a bug in a decider ends it with that bug."""
        self._stopped = asyncio.get_running_loop().create_future()
        try:
            self._follow_sources()
            for number in range(self._worker_count):
                self._start(f"worker-{number}", self._work())
            await self._stopped
        finally:
            await self._stop()

    async def synced(self) -> None:
        """Return when everything that is followed has been listed once."""
        await _listed(list(self._informers.values()))

    def preload(self, side: Side, resource: Resource, known: Iterable[Object]) -> None:
        """Begin with what an earlier run had seen; the cluster's own answer replaces it."""
        self._preloaded.add(side)
        for obj in known:
            self.cache.take(side, resource, objects.drop(obj, ("metadata", "resourceVersion")))

    def wake(self, controller: str, key: Key) -> None:
        """Have `key` looked at now."""
        self._queue.add((controller, key))

    def keys(self, controller: str) -> tuple[Key, ...]:
        """The keys that the controller's own collection holds: its first source's."""
        source = self._controllers[controller].sources[0]
        found = self.cache.table(source.side, source.resource).objects
        return tuple(found)

    def is_idle(self) -> bool:
        """Whether no key is due or being worked on."""
        return self._queue.is_idle()

    def troubles(self) -> tuple[str, ...]:
        """Why some collections are not watched, or some keys not decided, in words."""
        unwatched = (one.trouble for one in self._informers.values() if one.trouble)
        return (*unwatched, *self._unread.values())

    def _index(self) -> None:
        for controller in self._controllers.values():
            for source in controller.sources:
                route = self._routes.setdefault((source.side, source.resource), [])
                route.append(_Route(controller.name, source.wakes, source.settle_seconds))
                self.cache.index(source.side, source.resource, source.indexed)

    def _follow_sources(self) -> None:
        for controller in self._controllers.values():
            for source in controller.sources:
                address = Address(source.resource, source.namespace)
                self._inform(Scope(source.side, address, source.match))

    def _sources(self) -> list[Informer]:
        """What keys are looked at with, except of a side that is known from an earlier run."""
        scopes = (scope for scope in self._informers if scope.side not in self._preloaded)
        return [self._informers[scope] for scope in scopes]

    def _follow(self, controller: Controller, follow: Follow) -> Informer:
        scope = Scope(follow.side, Address(follow.resource, follow.namespace))
        route = self._routes.setdefault((follow.side, follow.resource), [])
        assert controller.followed is not None, f"{controller.name} follows without saying whom"
        wanted = _Route(controller.name, controller.followed, controller.followed_settle_seconds)
        if wanted not in route:
            route.append(wanted)
        return self._inform(scope)

    def _inform(self, scope: Scope) -> Informer:
        informer = self._informers.get(scope)
        if informer is None:
            informer = Informer(self._apis[scope.side], scope, self.cache, self._clock)
            self._informers[scope] = informer
            self._start(f"informer {scope}", informer.run())
        return informer

    def _gives_way(self, task: Task) -> bool:
        return self._controllers[task[0]].begins

    def _start(self, name: str, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks[name] = task

    def _ended(self, task: asyncio.Task[None]) -> None:
        # Informers and workers never end by themselves: a bug in one must not pass unseen.
        if task.cancelled() or self._stopped is None or self._stopped.done():
            return
        error = task.exception()
        self._stopped.set_exception(error or AssertionError(f"{task.get_name()} ended"))

    async def _stop(self) -> None:
        self._queue.close()
        tasks = (*self._tasks.values(), *self._lookouts.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _wake(self, seen: Seen) -> None:
        reader = CacheReader(self.cache)
        for route in self._routes.get((seen.side, seen.resource), ()):
            for key in route.wakes(reader, seen):
                self._plan((route.controller, key), route.settle_seconds)

    def _plan(self, task: Task, seconds: float) -> None:
        if seconds:
            self._queue.add_at(task, Instant(self._clock.now() + seconds))
        else:
            self._queue.add(task)

    async def _work(self) -> None:
        # Half a picture looks like a whole one in which things are missing.
        await _listed(self._sources())
        while True:
            task = await self._queue.take()
            try:
                await self._look(task)
            finally:
                self._queue.done(task)

    async def _look(self, task: Task) -> None:
        name, key = task
        controller = self._controllers[name]
        now = self._clock.now()
        try:
            decision = self._decision(task, now)
        except Refused as error:
            # One object that nobody can read is no reason to leave all others alone.
            self._unread[task] = f"{name} {'/'.join(key).strip('/')}: {error}"
            return
        self._unread.pop(task, None)
        if decision is None:
            self._forget(task)
            return
        followed = [self._follow(controller, follow) for follow in decision.follows]
        unlisted = [informer for informer in followed if not informer.synced.is_set()]
        if unlisted:
            # Decided without knowing what is there: not to be done.
            self._look_again(task, unlisted)
            return
        if decision.actions or decision.statuses:
            outcome = await self._performer.perform(decision)
            if outcome.writes:
                self._journal(Entry(now, name, key, decision, outcome.writes))
            self._after(task, outcome)
        else:
            self._forget(task)
        if decision.wake_at is not None:
            self._queue.add_at(task, decision.wake_at)

    def _decision(self, task: Task, now: Instant) -> Decision | None:
        name, key = task
        controller = self._controllers[name]
        reader = CacheReader(self.cache, tuple(self._failures.get(task, {}).values()))
        seen = controller.gather(reader, key)
        return None if seen is None else controller.decide(seen, now)

    def _look_again(self, task: Task, unlisted: Sequence[Informer]) -> None:
        if task not in self._lookouts:
            look = self._look_when_listed(task, unlisted)
            self._lookouts[task] = asyncio.get_running_loop().create_task(look)

    async def _look_when_listed(self, task: Task, unlisted: Sequence[Informer]) -> None:
        await _listed(unlisted)
        del self._lookouts[task]
        self._queue.add(task)

    def _after(self, task: Task, outcome: Outcome) -> None:
        if outcome.is_stale:
            self._look_afresh(task)
            return
        self._stale.discard(task)
        if outcome.retry_after_seconds is not None:
            self._back_off(task, outcome.retry_after_seconds)
        elif outcome.failure is not None:
            self._note(task, outcome.failure)
        else:
            self._forget(task)

    def _look_afresh(self, task: Task) -> None:
        # At once, and then only as fast as the news can come: who looks at the same old picture
        # over and over keeps time itself from going on.
        if task in self._stale:
            self._back_off(task)
        else:
            self._stale.add(task)
            self._queue.add(task)

    def _note(self, task: Task, failure: Failure) -> None:
        # Each write has its own: two that are refused in turn must not look like news for ever.
        known = self._failures.setdefault(task, {})
        before = known.pop(failure.address, None)
        known[failure.address] = failure
        # The decider is asked at once to say what happened, then less and less often.
        if before is None or before.code != failure.code:
            self._queue.add(task)
        else:
            self._back_off(task)

    def _back_off(self, task: Task, at_least: float = 0.0) -> None:
        pause = self._backoffs.get(task, _FIRST_BACKOFF_SECONDS)
        self._backoffs[task] = min(pause * 2, _LAST_BACKOFF_SECONDS)
        self._queue.add_at(task, Instant(self._clock.now() + max(pause, at_least)))

    def _forget(self, task: Task) -> None:
        self._failures.pop(task, None)
        self._backoffs.pop(task, None)
        self._stale.discard(task)


async def _listed(informers: Sequence[Informer]) -> None:
    for informer in informers:
        await informer.synced.wait()
