"""`oneco doctor`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from oneco.cli import failures, printing, session
from oneco.cli.program import command as a_command
from oneco.cli.session import Session

if TYPE_CHECKING:
    from oneco.main.doctor.findings import Examination, Finding


@a_command("doctor")
def command() -> int:
    """Find what is wrong with a hub or an agent, and name the command that mends each of it.

    Looks at the directory that --data names, a hub's or an agent's, whether it runs or not, and
    changes nothing there; with --kubeconfig, --context or KUBECONFIG, at a hub elsewhere, or at the
    directory of the hub that wrote that file. The exit status is 1 if anything is wrong; warnings
    alone leave it 0.
    """
    from oneco.main.doctor import examining

    current = session.current()
    data = _beside_its_kubeconfig(current) if _is_elsewhere(current) else current.data_directory()
    patient = examining.Patient(data=data, choice=current.choice if data is None else None)
    seen = examining.examine(patient)
    errors = [one for one in seen.findings if one.weight == "error"]
    value: dict[str, Any] = {
        "data": None if data is None else str(Path(data)),
        "healthy": not errors,
        "checks": seen.counted(),
        "findings": [one.document() for one in seen.findings],
    }
    text = "\n\n".join([*map(_text, seen.findings), _counted(seen)])
    printing.show(value, current.output, text)
    return failures.MISTAKE if errors else failures.DONE


def _counted(seen: Examination) -> str:
    """How many checks there were, and of how many nothing can be said."""
    text = f"{printing.counted(seen.passed, 'check')} passed"
    if seen.failed:
        text += f", {seen.failed} found something"
    if seen.idle:
        text += f", {seen.idle} had nothing to look at"
    return f"{text}."


def _is_elsewhere(current: Session) -> bool:
    """Whether the hub is none of this machine, as for every other command."""
    choice = current.choice
    if choice.kubeconfig or choice.context:
        return True
    is_here = current.is_data_named or choice.file() is not None
    return not is_here and bool(os.environ.get("KUBECONFIG"))


def _beside_its_kubeconfig(current: Session) -> Path | None:
    """The directory of a hub of this machine, if the kubeconfig is the one that it wrote there."""
    from oneco.main.connecting import KUBECONFIG
    from oneco.main.doctor import examining

    path = Path(current.choice.kubeconfig or os.environ.get("KUBECONFIG", ""))
    is_its_own = path.name == KUBECONFIG and examining.is_a_hub(path.parent)
    return path.parent if is_its_own else None


def _text(one: Finding) -> str:
    mark = click.style("error" if one.weight == "error" else "warning", bold=True)
    return f"{mark} {one.code}: {one.about}: {one.message}\n  mend it: {one.command}"
