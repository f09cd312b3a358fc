"""The harness itself: whose programs it takes, and what is left when a run is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.real.processes import until
from tools.real import building, leftovers

ROOT = Path(__file__).parents[2]
# Says the id of the process that it started, and is killed.
RUN = """
import os, pathlib, signal, sys
from tests.real import processes
from tools.real import leftovers
leftovers.folder = lambda: pathlib.Path(sys.argv[1])
if sys.argv[2] == "alone":
    processes._dies_with_us = lambda: []
program = processes.Program("sleeper", ["sleep", "600"], pathlib.Path(sys.argv[1]) / "log")
program.start()
print(program._popen.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def a_killed_run(folder: Path, how: str) -> int:
    """The process that a run had started when it was killed."""
    words = [sys.executable, "-c", RUN, str(folder), how]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    return int(done.stdout)


def is_gone(pid: int) -> bool:
    """Whether the process has ended."""
    return leftovers.began(pid) == ""


def test_a_killed_run_takes_its_processes_along(tmp_path):
    pid = a_killed_run(tmp_path, "together")
    until(lambda: is_gone(pid), lambda: "the sleeper stayed", 5)


def test_what_a_killed_run_leaves_is_ended_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(leftovers, "folder", lambda: tmp_path)
    pid = a_killed_run(tmp_path, "alone")
    assert not is_gone(pid)
    assert leftovers.sweep() == 1
    assert is_gone(pid)
    assert leftovers.sweep() == 0


def test_a_later_process_with_a_noted_id_is_left_alone(tmp_path):
    sleeper = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        assert not leftovers.end(sleeper.pid, "1")
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_programs_that_somebody_has_are_taken_as_they_are(tmp_path, monkeypatch):
    own = tmp_path / "etcd"
    own.touch(mode=0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    monkeypatch.setattr(building, "cache", lambda: tmp_path / "nothing")
    assert building.ready() == {"etcd": own}


def test_every_program_has_a_version_in_a_module_file():
    assert {one.name: building.version(one) for one in building.PROGRAMS} == {
        "kube-apiserver": "v1.36.3",
        "kube-controller-manager": "v1.36.3",
        "kube-scheduler": "v1.36.3",
        "kubectl": "v1.36.3",
        "etcd": "v3.7.3",
        "kwok": "v0.8.0",
    }
