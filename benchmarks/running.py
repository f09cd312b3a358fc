"""Runs a benchmark in processes of its own; as a program, it is one of these processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec

from benchmarks import catalogue
from benchmarks.catalogue import Benchmark
from benchmarks.figures import Figure, Measured, pooled

_ROOT = Path(__file__).parent.parent
_LIMIT_SECONDS = 1800.0


class Broken(Exception):
    """A benchmark that did not come to its figures; the text is what it said."""


def measure(benchmark: Benchmark, *, is_quick: bool, runs: int) -> Measured:
    """The figures of `runs` runs, one after another."""
    return Measured(
        name=benchmark.name,
        title=benchmark.title,
        method=benchmark.method(),
        runs=runs,
        load=os.getloadavg()[0],
        figures=pooled([_run(benchmark, is_quick=is_quick) for _ in range(runs)]),
        is_real=bool(benchmark.programs),
    )


def _run(benchmark: Benchmark, *, is_quick: bool) -> list[Figure]:
    command = [sys.executable, "-m", "benchmarks.running", benchmark.name]
    if is_quick:
        command.append("quick")
    # The same names must hash alike, or two runs would walk their tables in different orders.
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        command,
        cwd=_ROOT,
        env=environment,
        capture_output=True,
        timeout=_LIMIT_SECONDS,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise Broken(f"{benchmark.name}: {done.stderr.decode(errors='replace').strip()}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=list[Figure])


def main(arguments: list[str]) -> None:
    """Measure the named benchmark here and print its figures as JSON."""
    figures = catalogue.called(arguments[0]).measure(is_quick="quick" in arguments[1:])
    print(msgspec.json.encode(figures).decode())


if __name__ == "__main__":
    main(sys.argv[1:])
