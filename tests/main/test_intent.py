"""What an agent keeps of what its hub said: sealed, and worth nothing without its key."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest

from oneco.control.shell import Shell
from oneco.errors import Refused
from oneco.kinds import ocm
from oneco.kube.objects import Object, encode
from oneco.main.intent import Intent
from oneco.worlds.clocks import RealClock

PLANTED = "hunter2-planted"
CLUSTER: Object = {"metadata": {"name": "c1"}}


def a_work(name: str = "w") -> Object:
    data = {"password": base64.b64encode(PLANTED.encode()).decode()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": data}
    return {
        "metadata": {"name": name, "namespace": "c1"},
        "spec": {"workload": {"manifests": [secret]}},
    }


def told(directory: Path, *works: Object) -> None:
    """An agent that is told these works and ends."""

    async def live() -> None:
        shell = Shell({}, (), RealClock())
        intent = Intent(directory, "c1")
        intent.begin(shell)
        for resource, body in [(ocm.CLUSTERS, CLUSTER), *((ocm.WORKS, one) for one in works)]:
            shell.cache.take("hub", resource, body)
        intent.end()

    asyncio.run(live())


def begun(directory: Path) -> tuple[int, str]:
    """How many works an agent begins with, and what troubles it."""

    async def live() -> tuple[int, str]:
        intent = Intent(directory, "c1")
        return intent.begin(Shell({}, (), RealClock())), intent.trouble

    return asyncio.run(live())


def has_the_secret(directory: Path) -> bool:
    forms = (PLANTED.encode(), base64.b64encode(PLANTED.encode()))
    return any(form in one.read_bytes() for one in directory.iterdir() for form in forms)


def test_what_was_told_is_there_at_the_next_start_and_nobody_can_read_it(tmp_path):
    told(tmp_path, a_work())
    assert not has_the_secret(tmp_path)
    assert begun(tmp_path) == (1, "")


def test_what_an_agent_of_before_kept_plain_is_taken_over_and_sealed(tmp_path):
    (tmp_path / "intent.json").write_bytes(encode({"cluster": CLUSTER, "works": [a_work()]}))
    assert begun(tmp_path) == (1, "")
    assert not (tmp_path / "intent.json").exists()
    assert not has_the_secret(tmp_path)
    assert begun(tmp_path) == (1, "")


def test_something_plain_put_beside_sealed_is_not_believed(tmp_path):
    told(tmp_path)
    (tmp_path / "intent").unlink()
    (tmp_path / "intent.json").write_bytes(encode({"cluster": CLUSTER, "works": [a_work()]}))
    assert begun(tmp_path) == (0, "")


@pytest.mark.parametrize("keys", ["gone", "another agent's"])
def test_without_its_key_an_agent_says_so_and_waits_for_the_hub(tmp_path, keys):
    (tmp_path / "other").mkdir()
    told(tmp_path / "other", a_work())
    told(tmp_path / "other", a_work())
    mine = tmp_path / "mine"
    mine.mkdir()
    told(mine, a_work())
    (mine / "keys").unlink()
    if keys != "gone":
        (tmp_path / "other" / "keys").rename(mine / "keys")
    works, trouble = begun(mine)
    assert works == 0
    assert "cannot be read, so it is waited for" in trouble
    told(mine, a_work("again"))
    assert begun(mine) == (1, "")


def test_another_clusters_intent_does_not_open(tmp_path):
    told(tmp_path, a_work())
    assert Intent(tmp_path, "c2").trouble


def test_a_damaged_file_of_keys_is_refused(tmp_path):
    told(tmp_path, a_work())
    (tmp_path / "keys").write_text("nonsense")
    with pytest.raises(Refused, match="damaged key"):
        Intent(tmp_path, "c1")
