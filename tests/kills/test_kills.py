"""A hub and its members that are killed at any moment of a release, again and again."""

from __future__ import annotations

import asyncio
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.kills import checkers, company, ending, history, writing
from tests.kills.process import HubProcess, a_hub
from tests.kills.releasing import Person
from tests.kills.writing import Ledger

ROUNDS = 100 if os.environ.get("ONECO_CI") == "1" else 10
_LONGEST_LIFE_SECONDS = 2.0
_LONGEST_START_SECONDS = 0.7
_KILLED_STARTS = 0.25
_MOST_VERSIONS = 60
_UNDISTURBED_SPEED = 600.0


class Lives:
    """The lives and deaths of one hub, with everything that is known of it."""

    def __init__(self, hub: HubProcess, seed: int) -> None:
        self.hub = hub
        self.course = checkers.Course()
        self.ledgers = {"": Ledger(), company.CLUSTERS[1]: Ledger()}
        self._chance = random.Random(seed)
        self._history = history.History()
        self.rounds_left = ROUNDS
        self.person = Person(hub, self._goes_on, pauses=True)

    async def live(self) -> None:
        """Be killed round after round while everybody works, then work to the end in peace."""
        writers = [writing.write(self.hub, name, one) for name, one in self.ledgers.items()]
        tasks = [asyncio.create_task(work) for work in (self.person.work(), *writers)]
        try:
            while self.rounds_left:
                await self._one_life(tasks)
                self.rounds_left -= 1
            self.hub.start()
            await self._until_done(tasks)
            for name, ledger in self.ledgers.items():
                await writing.check(self.hub, name, ledger)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self.hub.stop()
        self.look()

    def look(self) -> None:
        """Hold what the dead left on the disk against what must always hold."""
        seen = len(self._history.changes)
        with history.opened(self.hub.data) as store:
            self._history.read(store)
        self.course.replay(self._history.changes[seen:])
        for cluster in company.CLUSTERS:
            directory = self.hub.data / "members" / cluster
            if directory.exists():
                with history.opened(directory) as store:
                    self.course.check_exposure(cluster, store)

    async def _one_life(self, tasks: list[asyncio.Task[None]]) -> None:
        self.hub.start()
        ended = asyncio.create_task(self._until_the_end())
        done, _ = await asyncio.wait([ended, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        await self.hub.kill()
        self.look()

    async def _until_the_end(self) -> None:
        if self._chance.random() < _KILLED_STARTS:
            await asyncio.sleep(self._chance.uniform(0, _LONGEST_START_SECONDS))
        else:
            await self.hub.up()
            await asyncio.sleep(self._chance.uniform(0, _LONGEST_LIFE_SECONDS))

    async def _until_done(self, tasks: list[asyncio.Task[None]]) -> None:
        person = tasks[0]
        while not person.done():
            done, _ = await asyncio.wait(tasks, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
            self.hub.check_is_alive()
            for task in done:
                task.result()

    def _goes_on(self, version: int) -> bool:
        return self.rounds_left > 0 and version < _MOST_VERSIONS


async def undisturbed(directory: Path, fleet: Path, versions: int) -> None:
    """Release the same versions on a hub that nobody kills."""
    async with a_hub(directory, fleet, _UNDISTURBED_SPEED) as hub:
        hub.start()
        await hub.up()
        await Person(hub, lambda version: version < versions, pauses=False).work()
        await hub.stop()


def ends(data: Path) -> dict[str, Any]:
    """How everything stands in the hub and its members."""
    with history.opened(data) as store:
        found = {"hub": ending.of_hub(store)}
    for cluster in company.CLUSTERS:
        with history.opened(data / "members" / cluster) as store:
            ending.check_no_gate(store)
            found[cluster] = ending.of_member(store)
    return found


async def kill_again_and_again(place: Path, seed: int) -> tuple[Lives, dict[str, Any]]:
    """The story of a hub that is killed, and how the same story ends in peace."""
    fleet = place / "fleet.yaml"
    fleet.write_text(company.FLEET)
    async with a_hub(place / "killed", fleet) as hub:
        lives = Lives(hub, seed)
        await lives.live()
    await undisturbed(place / "peace", fleet, lives.person.version)
    return lives, ends(place / "peace")


@pytest.mark.slow
@pytest.mark.timeout(60 + 9 * ROUNDS)
def test_a_hub_killed_again_and_again_ends_as_if_nothing_had_happened(tmp_path, seed):
    began = time.monotonic()
    lives, peace = asyncio.run(kill_again_and_again(tmp_path, seed))
    versions = lives.person.version
    starts = sorted(lives.hub.started_in)
    seconds = time.monotonic() - began
    written = sum(len(one.created) for one in lives.ledgers.values())
    print(
        f"seed {seed}: {ROUNDS} kills over {versions} versions in {seconds:.0f} s; "
        f"{written} objects written; a start took {starts[len(starts) // 2]:.2f} s, "
        f"at most {starts[-1]:.2f} s"
    )
    assert ends(tmp_path / "killed") == peace
    lives.course.check_counts(versions)
