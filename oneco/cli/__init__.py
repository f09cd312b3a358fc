"""What a person types, turned into calls on `main` and on the API of a cluster.

`commands` is the table of all commands, `program` the one entry; each command is a module that is
imported when it is typed. What a command works out is a value made by a module without any
printing; how it is shown stands apart.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; the answer is the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    completes = "_ONECO_COMPLETE" in os.environ
    if not completes and given in ([], ["--help"], ["-h"], ["help"]):
        # The first page is asked for most and needs nothing but this text.
        from oneco.cli import pages

        print(pages.first(), end="")
        return 0
    try:
        from oneco.cli import program
    except KeyboardInterrupt:
        # Nothing was begun yet that would have to be told.
        return 130
    return program.run(given)
