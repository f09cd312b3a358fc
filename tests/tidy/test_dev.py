"""`./dev` and the lock: what a newcomer meets first."""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.tidy import tree


@pytest.fixture
def dev() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("dev", str(tree.ROOT / "dev"))
    spec = importlib.util.spec_from_loader("dev", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_an_old_python_can_read_dev_and_so_say_what_is_missing():
    ast.parse(tree.text(Path("dev")) or "", feature_version=(3, 6))


def test_help_names_every_command(dev, capsys):
    assert dev.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {name} " in shown for name in dev.COMMANDS)


def test_an_unknown_command_is_refused_with_the_list_of_commands(dev, capsys):
    assert dev.main(["tset"]) == 2
    said = capsys.readouterr()
    assert "'tset'" in said.err
    assert "./dev COMMAND" in said.err
    assert said.out == ""


def test_what_set_up_runs_keeps_stdout_for_the_program(dev, capfd):
    dev.execute(["echo", "installed"], {"PATH": "/usr/bin:/bin"})
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err == "installed\n"


def test_a_step_that_fails_names_its_command(dev):
    with pytest.raises(dev.Failed, match="this step failed: false"):
        dev.execute(["false"], {"PATH": "/usr/bin:/bin"})


@pytest.mark.parametrize(
    ("arguments", "is_spread"),
    [([], True), (["tests/kube"], True), (["a.py::test_b"], False), (["-n0"], False)],
)
def test_tests_are_spread_over_processes_unless_one_is_named(dev, arguments, is_spread):
    assert bool(dev.test_processes(arguments)) is is_spread


def test_the_lock_pins_every_dependency_within_its_bounds(dev):
    project = tomllib.loads(tree.text(Path("pyproject.toml")) or "")
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    pins = dict(
        line.split(" ")[0].split("==")
        for line in (tree.text(Path("requirements.txt")) or "").splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    )
    stale = [
        text
        for text in wanted
        if (name := canonicalize_name((need := Requirement(text)).name)) not in pins
        or not need.specifier.contains(pins[name])
    ]
    assert not stale, f"make requirements.txt again (its first lines say how); it misses {stale}"
    assert dev.pinned("uv").startswith("uv==")
