"""What every test gets: one seed a run, and the limits of a unit test.

A unit test may use two seconds of processor time, its own and its children's. Processor time, not
the wall's, so that a busy machine fails nobody; the wall's limit only ends a test that hangs.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.guards import nobody_changes_stored_objects

__all__ = ["nobody_changes_stored_objects"]

# The first test of a process pays for what it imports, and a fresh machine also for compiling it.
UNIT_SECONDS = 6.0 if os.environ.get("ONECO_CI") else 2.0
UNIT_WALL_SECONDS = 30
SEED_VARIABLE = "ONECO_SEED"
WORLD = "world"
REAL_VARIABLE = "ONECO_REAL"
TOLD_VARIABLE = "ONECO_TOLD"
"""The file that gets what came of a run."""
collect_ignore = [] if REAL_VARIABLE in os.environ else ["real"]
if REAL_VARIABLE in os.environ:
    from tests.real.fixtures import (
        kruise_fleet,
        ocm_agents,
        programs,
        pytest_collection_finish,
        pytest_runtest_makereport,
        real_cluster,
        real_fleet,
    )

    __all__ += [
        "kruise_fleet",
        "ocm_agents",
        "programs",
        "pytest_collection_finish",
        "pytest_runtest_makereport",
        "real_cluster",
        "real_fleet",
    ]

FOLDERS_OF_WORLDS = {
    "memory": ("behaviours", "parity", "rehearsals", "sim"),
    "embedded": ("backup", "embedded", "kills"),
    "real": ("real",),
}
"""The world of every case in these folders, unless a test says itself where it ran."""
Ran = Callable[..., None]


def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed of this run; the processes that run the tests inherit it."""
    seed = os.environ.setdefault(SEED_VARIABLE, str(random.SystemRandom().randrange(2**32)))
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = seed


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the seed, also of a run that passed: the next one may not."""
    passed = terminalreporter.stats.get("passed", [])
    if counts := cases_by_world(passed):
        told = ", ".join(f"{world} {count}" for world, count in counts.items())
        terminalreporter.write_line(f"cases that passed on each world: {told}")
    if place := os.environ.get(TOLD_VARIABLE):
        failed = sum(len(terminalreporter.stats.get(name, [])) for name in ("failed", "error"))
        outcome = {"passed": len(passed), "failed": failed, "worlds": counts}
        Path(place).write_text(json.dumps(outcome))
    seed = os.environ[SEED_VARIABLE]
    terminalreporter.write_line(f"seed {seed} (to repeat: {SEED_VARIABLE}={seed} ./dev test)")
    if REAL_VARIABLE not in os.environ:
        needs = "" if shutil.which("go") else " (it needs Go, which is not on the PATH)"
        terminalreporter.write_line(f"tests/real was left out: ./dev real runs it{needs}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """End a unit test that hangs, unless it states a limit of its own."""
    for item in items:
        if is_unit_test(item) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(UNIT_WALL_SECONDS))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a unit test that used more processor time than a unit test may."""
    before = processor_seconds()
    yield
    used = processor_seconds() - before
    if is_unit_test(item) and used > UNIT_SECONDS:
        pytest.fail(
            f"used {used:.1f} s of processor time, a unit test may use {UNIT_SECONDS:g} s: "
            "make it smaller, or mark it @pytest.mark.slow",
            pytrace=False,
        )


@pytest.fixture
def ran(record_property: Callable[[str, object], None]) -> Ran:
    """`ran(world, cases=1)`: say on which world a test ran, and how many cases it tried there."""

    def say(world: str, *, cases: int = 1) -> None:
        record_property(WORLD, (world, cases))

    return say


def cases_by_world(reports: Iterable[pytest.TestReport]) -> dict[str, int]:
    """How many cases ran on each world."""
    counts: Counter[str] = Counter()
    for report in reports:
        said: list[Any] = [value for name, value in report.user_properties if name == WORLD]
        folder = {*Path(report.location[0]).parts[1:2]}
        others = [(world, 1) for world, names in FOLDERS_OF_WORLDS.items() if folder & {*names}]
        for world, cases in said or others:
            counts[world] += cases
    return dict(counts.most_common())


def is_unit_test(item: pytest.Item) -> bool:
    """Whether the limits of a unit test hold for it."""
    return not any(item.get_closest_marker(name) for name in ("slow", "real"))


def processor_seconds() -> float:
    """Processor time that this process and its finished children have used."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@pytest.fixture
def seed() -> int:
    """The seed of this run, for whatever a test draws."""
    return int(os.environ[SEED_VARIABLE])
