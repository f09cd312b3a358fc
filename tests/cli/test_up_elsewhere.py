"""`oneco up` over an API server elsewhere: what it refuses, before it asks anybody anything."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from oneco.cli.program import oneco

NOWHERE = ("--kubeconfig", "nowhere.yaml")


def up(*words: str, **environment: str):
    """Type `oneco up` and these words."""
    return CliRunner().invoke(oneco, ["up", *words], env=environment)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--fleet", "fleet.yaml"), "--fleet with a hub elsewhere: wanted clusters that join"),
        (("--speed", "10"), "--speed with a hub elsewhere: wanted 1"),
        (("--from", "copy"), "--from with a hub elsewhere: wanted the hub's own store put back"),
        (("--in-cluster",), "--in-cluster: wanted either"),
    ],
)
def test_what_makes_no_sense_with_a_hub_elsewhere_is_refused(words, said):
    done = up(*NOWHERE, *words)
    assert done.exit_code == 1
    assert said in done.stderr


def test_a_kubeconfig_that_is_not_there_is_named():
    done = up(*NOWHERE)
    assert done.exit_code == 1
    assert 'kubeconfig: found "nowhere.yaml", wanted a file that exists' in done.stderr


def test_a_process_outside_of_any_pod_is_told_what_a_pod_has():
    done = up("--in-cluster", KUBERNETES_SERVICE_HOST="")
    assert done.exit_code == 1
    assert "wanted a pod with a service account" in done.stderr


def test_a_hub_of_this_machine_is_not_restored_in_place(tmp_path):
    done = up("--restored", "--data", str(tmp_path))
    assert done.exit_code == 1
    assert "--from FILE" in done.stderr


def test_a_hub_elsewhere_is_not_backed_up_from_here(tmp_path):
    words = ["backup", str(tmp_path / "copy"), *NOWHERE]
    done = CliRunner().invoke(oneco, words)
    assert done.exit_code == 1
    assert "a backup of its API server's own store" in done.stderr
    assert not (tmp_path / "copy").exists()
