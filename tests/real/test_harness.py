"""The harness itself: whose programs it takes, and what is left when a run is killed."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from oneco.kube.api import Patch
from oneco.kube.refs import Address
from oneco.worlds.cluster.client import connect
from tests.real import company
from tests.real.cluster import NODES
from tests.real.kruise import CLONE_SETS
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
    monkeypatch.setattr(building, "cache", lambda program: tmp_path / "nothing")
    assert building.ready() == {"etcd": own}


def test_every_program_has_a_version_in_a_module_file():
    assert {one.name: building.version(one) for one in building.PROGRAMS} == {
        "kube-apiserver": "v1.36.3",
        "kube-controller-manager": "v1.36.3",
        "kube-scheduler": "v1.36.3",
        "kubectl": "v1.36.3",
        "etcd": "v3.7.3",
        "kwok": "v0.8.0",
        "kruise-manager": "v1.8.0",
        "ocm-registration": "v1.0.0",
        "ocm-work": "v1.0.0",
    }


def test_clusters_for_a_person_run_until_they_are_ended_and_leave_nothing(programs, tmp_path):
    folder = tmp_path / "clusters"
    words = [sys.executable, "-m", "tests.real.up", "--clusters", "2", "--nodes", "1", folder]
    person = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert person.stdout is not None
        said = [person.stdout.readline().strip() for _ in range(2)]
        files = [folder / f"cluster-{number}" / "kubeconfig" for number in (1, 2)]
        assert said == [f"export KUBECONFIG={file}" for file in files]
        for file in files:
            ask = [programs["kubectl"], "--kubeconfig", file, "get", "nodes", "-o", "name"]
            assert subprocess.check_output(ask, text=True, timeout=20) == "node/node-0\n"
        noted = [json.loads(line)["pid"] for line in leftovers.notes_of(person.pid)]
        assert len(noted) == 10
        person.send_signal(signal.SIGINT)
        assert person.wait(30) == 0
    finally:
        person.kill()
        person.wait()
    assert all(map(is_gone, noted))
    assert not folder.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--clusters", "0"], "--clusters 0: from 1 to 15"),
        (["--nodes", "0"], "--nodes 0: at least 1"),
        (["."], ". exists: name a new folder, which is removed at the end"),
    ],
)
def test_a_person_who_asks_for_what_cannot_be_is_told(words, said):
    command = [sys.executable, "-m", "tests.real.up", *words]
    done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert said in done.stderr


def test_openkruise_moves_a_clone_set_to_its_partition(kruise_fleet):
    (cluster,) = kruise_fleet(1)
    asyncio.run(_partition_story(cluster))


async def _partition_story(cluster):
    async with connect(str(cluster.kubeconfig)) as api:
        address = Address(CLONE_SETS, "default", "cloned")
        await api.create(Address(CLONE_SETS, "default"), a_clone_set("cloned"))
        await company.until(lambda: _updated(api, address, 4), "the pods never came up")
        template = {"metadata": {"labels": {"version": "2"}}}
        change = {"spec": {"updateStrategy": {"partition": 3}, "template": template}}
        await api.patch(address, Patch("merge", change))
        await company.until(lambda: _updated(api, address, 1), "no pod was updated")
        await api.delete(address)


async def _updated(api, address, count):
    live = await api.get(address)
    status = live.get("status") or {}
    is_seen = status.get("observedGeneration") == live["metadata"]["generation"]
    return is_seen and status["updatedReadyReplicas"] == count and status["readyReplicas"] == 4


def a_clone_set(name):
    labels = {"app": name}
    containers = [{"name": "main", "image": "registry.example/app:1"}]
    return {
        "apiVersion": "apps.kruise.io/v1alpha1",
        "kind": "CloneSet",
        "metadata": {"name": name},
        "spec": {
            "replicas": 4,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    }


def test_a_fleet_grows_by_clusters_and_by_nodes(real_fleet):
    (first,) = real_fleet(1)
    again, _ = real_fleet(2, nodes=5)
    assert again is first
    assert {asyncio.run(node_count(one)) for one in real_fleet(2)} == {5}


async def node_count(cluster):
    async with connect(str(cluster.kubeconfig)) as api:
        return len((await api.list(Address(NODES))).items)


def test_the_agents_of_open_cluster_management_say_who_they_are(ocm_agents):
    for path in ocm_agents.values():
        said = subprocess.run([path, "--help"], capture_output=True, text=True, timeout=20)
        assert said.returncode == 0, said.stderr
        assert "agent" in said.stdout


def test_a_products_own_files_are_read_from_gos_module_cache():
    crds = building.source("ocm", "open-cluster-management.io/api")
    assert (
        crds / "work" / "v1" / "0000_00_work.open-cluster-management.io_manifestworks.crd.yaml"
    ).exists()
