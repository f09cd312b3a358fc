"""The way into `./dev run`: who ends it while it still loads is not shown where it was."""

from __future__ import annotations

import sys


def main() -> None:
    """Load the whole job and do it."""
    try:
        from oneco.cli import failures, job
    except KeyboardInterrupt:
        sys.exit(130)
    try:
        job.main()
    except KeyboardInterrupt:
        sys.exit(failures.INTERRUPTED)


if __name__ == "__main__":
    main()
