"""Each file of real tests has a session of its own, and one that fails is asked once more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.real import apart
from tools.real.apart import Told

ONCE_BAD = """
import pathlib, pytest
pytestmark = pytest.mark.real

def test_it_holds_the_second_time():
    seen = pathlib.Path(__file__).with_suffix(".seen")
    had = seen.exists()
    seen.touch()
    assert had
"""


@pytest.mark.slow
def test_a_file_that_fails_once_is_good_and_is_said_to_be_late(tmp_path: Path) -> None:
    file = tmp_path / "test_once_bad.py"
    file.write_text(ONCE_BAD)
    told = apart.run(str(file))
    assert (told.is_good, told.tries) == (True, 2)
    assert told.line().endswith("(the second time)")


@pytest.mark.slow
def test_a_file_without_a_test_is_no_good(tmp_path: Path) -> None:
    file = tmp_path / "test_nothing.py"
    file.write_text("")
    told = apart.run(str(file))
    assert (told.is_good, told.failed, told.tries) == (False, 1, 2)


def test_the_report_counts_all_sessions_together() -> None:
    good = Told("a.py", True, 3.0, 5, 0, {"real": 4, "memory": 1})
    bad = Told("b.py", False, 3.0, 2, 1, {"real": 2}, tries=2)
    also = {"passed": 10, "failed": 2, "worlds": {"memory": 7}}
    lines = apart.report([good, bad], also).splitlines()
    assert [line[:4] for line in lines[:2]] == ["ok  ", "FAIL"]
    assert lines[2:] == [
        "cases that passed on each world, in all: memory 8, real 6",
        "17 passed, 3 failed",
    ]


def test_every_real_test_has_its_session() -> None:
    root = Path(__file__).parents[2]
    named = {root / one for one in apart.files()}
    real = root / "tests" / "real"
    assert named >= set(real.rglob("test_*.py"))
    assert named >= {root / "tests" / "contract", root / "tests" / "clients"}
