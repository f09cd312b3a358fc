"""`./dev bench`: measure everything, or what is named, and write docs/BENCHMARKS.md."""

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

_PAGE = Path(__file__).parent.parent / "docs" / "BENCHMARKS.md"


def main() -> int:
    """Measure, show, and write the page when everything was measured in full."""
    options = _options()
    chosen = [one for one in catalogue.ALL if not options.names or one.name in options.names]
    described = machine.description()
    measured = _measured(chosen, options)
    if options.output == "json":
        print(json.dumps(_document(measured, described)))
    else:
        print(pages.terminal(measured))
    if len(measured) < len(chosen):
        return 2
    if not options.names and not options.quick:
        _PAGE.write_text(pages.document(measured, described), encoding="utf-8")
        print(f"wrote {_PAGE}", file=sys.stderr)
    return 0


def _measured(chosen: Sequence[Benchmark], options: argparse.Namespace) -> list[Measured]:
    """The figures of all that came to theirs; one that broke costs no other its minutes."""
    measured = []
    for benchmark in chosen:
        runs = options.runs or (1 if options.quick else benchmark.runs)
        print(f"{benchmark.name}, {runs} × …", file=sys.stderr, flush=True)
        try:
            measured.append(running.measure(benchmark, is_quick=options.quick, runs=runs))
        except running.Broken as broken:
            print(broken, file=sys.stderr)
    return measured


def _options() -> argparse.Namespace:
    names = [one.name for one in catalogue.ALL]
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description="Measure the product and write docs/BENCHMARKS.md.",
        epilog="benchmarks: " + ", ".join(names),
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these, without the page")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: whether it works at all")
    parser.add_argument("--runs", type=int, default=0, help="run each so many times")
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in names]
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are: {', '.join(names)}")
    return options


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
