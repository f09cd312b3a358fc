"""Which kubeconfig a command line leads to."""

from __future__ import annotations

from pathlib import Path

import pytest

from oneco.errors import Refused
from oneco.main.connecting import Choice


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "kubeconfig").touch()
    return tmp_path / "data"


def test_a_kubeconfig_that_is_named_comes_first(data: Path):
    assert Choice(kubeconfig="/k", data=str(data), usual_data=str(data)).file() == "/k"


def test_a_hub_that_is_named_comes_before_the_usual_one(data: Path, tmp_path: Path):
    choice = Choice(data=str(data), usual_data=str(tmp_path))
    assert choice.file() == str(data / "kubeconfig")


def test_a_hub_in_its_usual_place_is_found_unasked(data: Path):
    assert Choice(usual_data=str(data)).file() == str(data / "kubeconfig")


def test_without_a_hub_on_this_machine_kubectls_rules_decide(tmp_path: Path):
    assert Choice(usual_data=str(tmp_path)).file() is None


def test_a_directory_without_a_hub_is_refused_where_it_was_named(tmp_path: Path):
    with pytest.raises(Refused, match="the data directory of a hub"):
        Choice(data=str(tmp_path)).file()
