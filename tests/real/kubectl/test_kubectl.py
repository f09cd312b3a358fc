"""kubectl as judge: what it says on our own API server is what it says on Kubernetes' own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.kubectl.judging import commands, differences
from tests.real.kubectl.worlds import World, builtin_member

CASES = sorted(Path(__file__).with_name("cases").glob("*.txt"))


@pytest.fixture(scope="module")
def worlds(programs, real_fleet, tmp_path_factory) -> Iterator[tuple[World, World]]:
    """A built-in member, and a real cluster."""
    folder = tmp_path_factory.mktemp("kubectl")
    (cluster,) = real_fleet(1)
    real = World("real", cluster.kubeconfig, programs["kubectl"], folder / "real")
    with builtin_member(folder / "member", programs) as ours:
        yield ours, real


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_kubectl_says_the_same_on_both_worlds(worlds, case, ran):
    ours, real = worlds
    found = list(differences(ours, real, case))
    assert not found, "\n\n".join(found)
    count = sum(not line.startswith("- ") for line in commands(case))
    ran("embedded", cases=count)
    ran("real", cases=count)
