"""Where and on what a measurement was made."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import sqlite3
import subprocess
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_PACKAGES = (
    "aiohttp",
    "cryptography",
    "httptools",
    "jsonschema-rs",
    "msgspec",
    "uvicorn",
)


def description() -> dict[str, str]:
    """The date, the machine and the versions, in words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = (f"{one} {importlib.metadata.version(one)}" for one in _PACKAGES)
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "machine": f"{os.cpu_count()} × {_processor()}, {memory:.1f} GiB of memory",
        "system": f"{platform.system()} {platform.release()}",
        "versions": ", ".join(
            (f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}", *packages)
        ),
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [row.partition(":")[2].strip() for row in lines if row.startswith("model name")]
    return names[0] if names else platform.machine()


def _commit() -> str:
    if not (_ROOT / ".git").exists():
        return "not in a checkout"
    commit = _git("rev-parse", "--short", "HEAD")
    return f"{commit}, with changes" if _git("status", "--porcelain", "--", "oneco") else commit


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(_ROOT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else "unknown"
