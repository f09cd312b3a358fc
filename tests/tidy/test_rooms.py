"""The rules between rooms catch what they are there for: each is shown one planted fault."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.tidy import tree

ROOMS = (
    *("cli", "main", "console", "definitions", "addons"),
    *("integrations", "integrations/one", "integrations/two"),
    *("delivery", "release", "fleet", "agent", "kinds"),
    *("control", "worlds", "decision", "kube", "generated"),
)

LAYERS = "Upper rooms import lower ones, never sideways, never up"
DECIDERS = "Deciders are pure: no time, no chance, no I/O, no shell"
WORLDS = "Only main chooses where oneco runs"
GENERATED = "Machine-written tables are read through kube, kinds and worlds"
INTEGRATIONS = "Integrations are blind to each other"

ALLOWED = {
    "cli": "import oneco.main, oneco.kinds",
    "main": "import oneco.worlds, oneco.integrations.one, oneco.control",
    "worlds": "import asyncio, time, oneco.generated, oneco.kube",
    "integrations/one": "import oneco.delivery, asyncio",
    "delivery": "import oneco.kinds, oneco.decision, oneco.clock",
}


def test_the_contracts_keep_a_tree_that_follows_them(tmp_path):
    assert broken(tmp_path, ALLOWED) == set()


def test_the_contracts_hold_while_most_rooms_do_not_exist(tmp_path):
    rooms = ("kube", "release")
    assert broken(tmp_path, {"release": "import oneco.kube"}, rooms=rooms) == set()
    assert broken(tmp_path, {"kube": "import oneco.release"}, rooms=rooms) == {LAYERS}


@pytest.mark.parametrize(
    ("room", "imports", "contract"),
    [
        ("kube", "import oneco.kinds", LAYERS),
        ("delivery", "import oneco.release", LAYERS),
        ("control", "import oneco.kinds", LAYERS),
        ("clock", "import oneco.errors", LAYERS),
        ("shelf", "", LAYERS),
        ("release", "import random", DECIDERS),
        ("kube", "import asyncio", DECIDERS),
        ("cli", "import oneco.worlds", WORLDS),
        ("main", "import oneco.generated", GENERATED),
        ("integrations/one", "import oneco.integrations.two", INTEGRATIONS),
    ],
)
def test_a_planted_fault_breaks_its_contract(tmp_path, room, imports, contract):
    # The innocent part: deciders reach kube, so what kube imports counts against them.
    plants = {"release": "import oneco.kube", room: imports}
    assert broken(tmp_path, plants) == {contract}


@pytest.mark.parametrize(
    ("room", "code", "is_refused"),
    [
        ("release", "from datetime import UTC, datetime\n\nprint(datetime.now(UTC))\n", True),
        ("kube", "import random\n\nrandom.seed(1)\n", True),
        ("control", "import asyncio\n\nasyncio.run(asyncio.sleep(1))\n", True),
        ("kinds", "import uuid\n\nuuid.uuid4()\n", True),
        ("worlds", "import time\n\ntime.sleep(time.time())\n", False),
    ],
)
def test_lint_refuses_real_time_and_chance_outside_the_rooms_for_them(room, code, is_refused):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "TID251"),
            *("--output-format", "concise", "--stdin-filename", f"oneco/{room}/planted.py", "-"),
        ],
        cwd=tree.ROOT,
        input=code,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("TID251" in done.stdout) is is_refused, done.stdout + done.stderr


def broken(folder: Path, plants: Mapping[str, str], rooms: tuple[str, ...] = ROOMS) -> set[str]:
    """The names of the contracts that a stub tree breaks with these imports planted."""
    package = folder / "oneco"
    shutil.rmtree(package, ignore_errors=True)
    for name in (".", *rooms, *(plant for plant in plants if plant not in ("clock", *rooms))):
        (package / name).mkdir(parents=True, exist_ok=True)
        (package / name / "__init__.py").write_text(plants.get(name, ""))
    for name in ("clock", "errors"):
        (package / f"{name}.py").write_text(plants.get(name, ""))
    (folder / "tests" / "tidy").mkdir(parents=True, exist_ok=True)
    for name in ("pyproject.toml", "tests/tidy/contracts.py"):
        shutil.copy(tree.ROOT / name, folder / name)
    done = subprocess.run(
        [str(Path(sysconfig.get_path("scripts")) / "lint-imports"), "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = [line.split() for line in done.stdout.splitlines()]
    names = {" ".join(words[:-1]) for words in verdicts if words[-1:] == ["BROKEN"]}
    assert names or done.returncode == 0, done.stdout + done.stderr
    return names
