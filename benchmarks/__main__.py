"""`./dev bench`: measure everything, or what is named, and write docs/BENCHMARKS.md.

With --real: what needs the programs of a real control plane, and docs/BENCHMARKS-REAL.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks import catalogue, machine, pages, running
from benchmarks.catalogue import Benchmark
from benchmarks.figures import Measured, verdicts
from tools.real import building

_DOCS = Path(__file__).parent.parent / "docs"


def main() -> int:
    """Measure, show, and write the page when everything was measured in full."""
    options = _options()
    every = catalogue.REAL if options.real else catalogue.ALL
    chosen = [one for one in every if not options.names or one.name in options.names]
    described = machine.description()
    measured = _measured(chosen, options)
    if options.output == "json":
        print(json.dumps(_document(measured, described)))
    else:
        print(pages.terminal(measured))
    if len(measured) < len(chosen):
        return 2
    if not options.names and not options.quick:
        page = _DOCS / ("BENCHMARKS-REAL.md" if options.real else "BENCHMARKS.md")
        page.write_text(pages.document(measured, described), encoding="utf-8")
        print(f"wrote {page}", file=sys.stderr)
    return 0


def _measured(chosen: Sequence[Benchmark], options: argparse.Namespace) -> list[Measured]:
    """The figures of all that came to theirs; one that broke costs no other its minutes."""
    measured = []
    for benchmark in chosen:
        missing = [one for one in benchmark.programs if one not in building.ready()]
        if missing:
            names = ", ".join(missing)
            print(f"{benchmark.name} needs {names}: `./dev real build` makes it", file=sys.stderr)
            continue
        runs = options.runs or (1 if options.quick else benchmark.runs)
        print(f"{benchmark.name}, {runs} × …", file=sys.stderr, flush=True)
        try:
            measured.append(running.measure(benchmark, is_quick=options.quick, runs=runs))
        except running.Broken as broken:
            print(broken, file=sys.stderr)
    return measured


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description="Measure the product and write docs/BENCHMARKS.md.",
        epilog=f"benchmarks: {_names(catalogue.ALL)}; with --real: {_names(catalogue.REAL)}",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these, without the page")
    parser.add_argument("--real", action="store_true", help="beside real programs")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: whether it works at all")
    parser.add_argument("--runs", type=int, default=0, help="run each so many times")
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")
    options = parser.parse_args()
    every = catalogue.REAL if options.real else catalogue.ALL
    unknown = [name for name in options.names if name not in {one.name for one in every}]
    if unknown:
        found = f"{', '.join(unknown)}{' with --real' if options.real else ''}"
        parser.error(f"no benchmark is called {found}; there are: {_names(every)}")
    return options


def _names(every: Sequence[Benchmark]) -> str:
    return ", ".join(one.name for one in every)


def _document(measured: list[Measured], described: dict[str, str]) -> dict[str, object]:
    judged = verdicts(measured)
    figures = [
        {
            "benchmark": one.name,
            **msgspec.to_builtins(figure),
            "value": figure.value,
            "verdict": judged.get(f"{one.name}/{figure.name}", ""),
        }
        for one in measured
        for figure in one.figures
    ]
    return {"machine": described, "figures": figures}


if __name__ == "__main__":
    sys.exit(main())
