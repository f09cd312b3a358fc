"""`oneco version`."""

from __future__ import annotations

import oneco
from oneco.cli import printing, session
from oneco.cli.program import command as a_command


@a_command("version")
def command() -> None:
    """Show the version."""
    value = {"version": oneco.__version__}
    printing.show(value, session.current().output, f"oneco {oneco.__version__}")
