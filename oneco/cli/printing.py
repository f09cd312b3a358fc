"""Values on stdout: one JSON document, YAML, or lines and tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import click
import msgspec

from oneco.kube import document_text


def show(value: Any, output: str, text: str) -> None:
    """Print `value` as `output` asks: as JSON, as YAML, or the `text` that says the same."""
    if output == "json":
        click.echo(json_text(value))
    elif output == "yaml":
        click.echo(document_text.write(value), nl=False)
    elif text:
        click.echo(text.rstrip("\n"))


def json_text(value: Any) -> str:
    """`value` as one readable JSON document."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns for people, as wide as what stands in them."""
    lines = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def counted(count: int, noun: str) -> str:
    """`1 cluster`, `3 clusters`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
