"""How figures are shown: rows for a terminal, and a page for docs/."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from benchmarks.figures import Figure, Measured, verdicts

_HEADINGS: tuple[str, ...] = ("figure", "median", "spread", "aim", "", "beside")
_OPENING = """# Benchmarks

What `./dev bench` measured last; it writes this page. Each benchmark ran in processes of its own,
one after another, and a figure is the median of all its samples; the spread goes from the least to
the most, or, of forty samples and more, holds nine tenths of them. An aim is the most that a figure
should be, or the least where it says so. Processor time says more than wall time where other work
shares the machine.
"""


def terminal(measured: list[Measured]) -> str:
    """The figures as aligned rows."""
    rows = [_HEADINGS]
    for one in measured:
        rows += [("",) * 6, (one.title, *("",) * 5), *_rows(one, measured)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = (
            cell.rjust(width) if place in (1, 2, 3) else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def document(measured: list[Measured], machine: Mapping[str, str]) -> str:
    """The page for docs/."""
    parts = [_OPENING, "\n".join(f"- {key}: {text}" for key, text in machine.items())]
    for one in measured:
        head = ["", f"## {one.title}", "", one.method, "", _counted(one), ""]
        head += [_line(_HEADINGS), _line("---" if place == 0 else "--:" for place in range(6))]
        parts.append("\n".join([*head, *(_line(row) for row in _rows(one, measured))]))
    return "\n".join(parts) + "\n"


def amount(value: float, unit: str) -> str:
    """A number as people write it, with its unit."""
    if value >= 1000 or value == int(value):
        text = f"{value:,.0f}"
    else:
        text = f"{value:.1f}" if value >= 100 else f"{value:.3g}"
    return f"{text} {unit}".rstrip()


def _counted(one: Measured) -> str:
    runs = "One run" if one.runs == 1 else f"{one.runs} runs"
    switch = "--real " if one.is_real else ""
    return (
        f"{runs} of `./dev bench {switch}{one.name}`; the machine's load was {one.load:.1f} before."
    )


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _rows(one: Measured, measured: list[Measured]) -> list[tuple[str, ...]]:
    values = {f"{each.name}/{figure.name}": figure for each in measured for figure in each.figures}
    judged = verdicts(measured)
    return [
        (
            figure.title,
            amount(figure.value, figure.unit),
            _spread(figure),
            _aim(figure),
            judged.get(f"{one.name}/{figure.name}", ""),
            _beside(figure, one.name, values),
        )
        for figure in one.figures
    ]


def _spread(figure: Figure) -> str:
    low, high = figure.spread
    return f"{amount(low, '')} – {amount(high, '')}" if low < high else ""


def _aim(figure: Figure) -> str:
    if figure.least is not None:
        return f"at least {amount(figure.least, figure.unit)}"
    if figure.aim is not None:
        return amount(figure.aim, figure.unit)
    return f"{figure.aim_ratio:g} ×" if figure.aim_ratio is not None else ""


def _beside(figure: Figure, name: str, values: Mapping[str, Figure]) -> str:
    other = values.get(figure.beside)
    if other is None:
        return ""
    times = figure.value / other.value
    place = figure.beside.partition("/")[0]
    whose = other.title if place == name else place
    return f"{times:.2f} × {amount(other.value, other.unit)} ({whose})"
