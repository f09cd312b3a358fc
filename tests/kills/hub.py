"""One hub with its built-in members as a process of its own: what the tests here kill.

Arguments: data directory, file with the Fleet and its Faults, speed. It says one line of JSON when
it is up.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

from oneco.main.up import Running, UpOptions, up


async def say(running: Running) -> None:
    """Tell whoever started this process how to reach it."""
    clusters = {name: str(path) for name, path in running.kubeconfigs.items()}
    waits = running.is_waiting_for_confirmation
    print(json.dumps({"hub": str(running.kubeconfig), "clusters": clusters, "waits": waits}))
    sys.stdout.flush()


def end_with_the_test() -> None:
    """End when whoever holds the other end of standard input is gone, even if it was killed."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=end_with_the_test, daemon=True).start()
    data, fleet, speed = sys.argv[1:]
    up(UpOptions(data=Path(data), fleet=(Path(fleet),), speed=float(speed)), say)
