"""Every benchmark still measures what it says: tiny sizes, one run each."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from benchmarks import catalogue, machine, pages, running
from benchmarks.figures import Figure, Measured, pooled, verdicts

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", [one.name for one in catalogue.ALL])
def test_a_benchmark_comes_to_its_figures_in_a_process_of_its_own_which_takes_seconds(name):
    measured = running.measure(catalogue.called(name), is_quick=True, runs=1)
    assert measured.figures
    assert all(figure.value >= 0 for figure in measured.figures)
    assert len({figure.name for figure in measured.figures}) == len(measured.figures)
    assert measured.method


@pytest.mark.slow
def test_one_json_document_is_printed_which_takes_the_processes_of_a_benchmark():
    command = [sys.executable, "-m", "benchmarks", "startup", "--quick", "-o", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=60)
    document = json.loads(done.stdout)
    [one] = [figure for figure in document["figures"] if figure["name"] == "help"]
    assert one["unit"] == "ms"
    assert one["aim"] == 150
    assert one["verdict"] in ("met", "missed")
    assert set(document["machine"]) == {"date", "commit", "machine", "system", "versions"}


def test_a_name_that_no_benchmark_has_is_refused_with_those_that_there_are():
    command = [sys.executable, "-m", "benchmarks", "decision"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no benchmark is called decision; there are: rehearsal-100" in done.stderr


def test_runs_are_pooled_and_the_median_is_held_against_the_aim():
    runs = [[_figure(value)] for value in (70.0, 40.0, 50.0)]
    [figure] = pooled(runs)
    assert figure.value == 50.0
    assert figure.spread == (40.0, 70.0)
    assert verdicts([_measured("cost", figure)]) == {"cost/time": "met"}


def test_a_figure_is_held_against_the_one_beside_it():
    beside = _figure(100.0, aim=None)
    alone = _figure(130.0, aim=None)
    far = msgspec.structs.replace(alone, beside="small/time", aim_ratio=1.2)
    measured = [_measured("small", beside), _measured("large", far)]
    assert verdicts(measured) == {"large/time": "missed"}
    assert "1.30 × 100 s (small)" in pages.terminal(measured)


def test_the_page_names_the_machine_the_method_and_every_figure_beside_its_aim():
    page = pages.document([_measured("cost", _figure(40.0))], machine.description())
    assert "- versions: Python 3" in page
    assert "## Cost" in page
    assert "By a stopwatch." in page
    assert "| time | 40 s |  | 60 s | met |  |" in page


def _figure(value: float, aim: float | None = 60.0) -> Figure:
    return Figure(name="time", title="time", unit="s", samples=(value,), aim=aim)


def _measured(name: str, figure: Figure) -> Measured:
    return Measured(
        name=name, title="Cost", method="By a stopwatch.", runs=1, load=0.5, figures=(figure,)
    )
