"""How a command that did not succeed says so: one clear sentence and an exit status."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any, Final

import click

from oneco.delivery.mistakes import Mistakes
from oneco.errors import OnecoError, Refused, Unavailable

DONE: Final = 0
MISTAKE: Final = 1
OUTAGE: Final = 2
NO_SUCCESS: Final = 3
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
DEBUG_VARIABLE: Final = "ONECO_DEBUG"


class NoSuccess(Exception):
    """Everything was said already; what was waited for ended without success."""


def answer(error: BaseException, arguments: Sequence[str]) -> int:
    """Tell the person about `error`; the answer is the exit status."""
    if isinstance(error, NoSuccess):
        return NO_SUCCESS
    if isinstance(error, KeyboardInterrupt | click.Abort | EOFError):
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        _silence_stdout()
        return BROKEN_PIPE
    status, found = _judged(error)
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(error)
    if is_json(arguments):
        print(json.dumps(document(found), ensure_ascii=False))
        sys.stdout.flush()
    lines = [str(one) for one in found]
    text = f"oneco: {lines[0]}" if len(lines) == 1 else "\n".join(["oneco:", *lines])
    print(text, file=sys.stderr)
    return status


def document(found: Sequence[Exception]) -> dict[str, Any]:
    """The mistakes as JSON: the first under `error`, each under `mistakes`."""
    rows = [_row(one) for one in found]
    return {"error": rows[0], "mistakes": rows}


def is_json(arguments: Sequence[str]) -> bool:
    """Whether these arguments ask for JSON, even if they are wrong otherwise."""
    joined = " ".join(arguments)
    asked = ("-o json", "-ojson", "-o=json", "--output json", "--output=json")
    return any(f" {one} " in f" {joined} " for one in asked)


def _judged(error: BaseException) -> tuple[int, Sequence[Exception]]:
    if isinstance(error, BaseExceptionGroup):
        return _judged(error.exceptions[0])
    if isinstance(error, Mistakes):
        return MISTAKE, error.all
    if isinstance(error, Refused):
        return MISTAKE, (error,)
    if isinstance(error, click.ClickException):
        return MISTAKE, (_usage(error),)
    if isinstance(error, OnecoError):
        return OUTAGE, (error,)
    if isinstance(error, OSError):
        shown = f"{error.filename}: " if error.filename else ""
        return OUTAGE, (Unavailable(f"{shown}{(error.strerror or str(error)).lower()}"),)
    what = " ".join(str(error).split()) or "no more is known"
    message = (
        f"this is a fault in oneco itself: {type(error).__name__}: {what}"
        f" ({DEBUG_VARIABLE}=1 shows where)"
    )
    return OUTAGE, (Unavailable(message),)


def _usage(error: click.ClickException) -> Refused:
    said = error.format_message().strip().rstrip(".")
    if isinstance(error, click.UsageError) and error.ctx is not None:
        said = f"{said}; see `{error.ctx.command_path} --help`"
    refusal = Refused(said)
    refusal.where = "the command line"
    return refusal


def _row(error: Exception) -> dict[str, Any]:
    found = getattr(error, "found", None)
    shown = found if found is None or isinstance(found, str | int | float | bool) else repr(found)
    return {
        "where": getattr(error, "where", ""),
        "found": shown,
        "wanted": getattr(error, "wanted", ""),
        "message": str(error),
    }


def _silence_stdout() -> None:
    """Whoever read stdout is gone: what Python still flushes at its end must not complain."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
