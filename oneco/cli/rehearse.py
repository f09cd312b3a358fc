"""`oneco rehearse`."""

from __future__ import annotations

import dataclasses

import click

from oneco.cli import checking, failures, printing, reporting, session
from oneco.cli.program import command as a_command


@a_command("rehearse")
@click.option(
    "-f", "--filename", "path", required=True, metavar="DIR|FILE",
    help="A Fleet, the Applications, and what goes wrong.",
)  # fmt: skip
@click.option("--seed", type=int, default=None, help="Other chances than the files name.")
@click.option("--events", is_flag=True, help="Tell everything that happened.")
def command(path: str, seed: int | None, events: bool) -> None:
    """Try a release on clusters that exist only for it, days of it in seconds.

    The exit status is 0 if it succeeded and 3 if not.
    """
    current = session.current()
    checking.load([path], versions_of=("Application",))
    from oneco.main import rehearsal, scenario

    asked = scenario.read(path)
    if seed is not None:
        asked = dataclasses.replace(asked, seed=seed)
    report = rehearsal.run(asked)
    printing.show(report.document(), current.output, reporting.text(report, has_all=events))
    if report.outcome != "succeeded":
        raise failures.NoSuccess
