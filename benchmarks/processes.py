"""What the system says of a process: its memory and its processor time."""

from __future__ import annotations

import os
from pathlib import Path


def memory(process: int, key: str) -> int:
    """Bytes of memory; `key` is VmRSS for now, VmHWM for the most that it was."""
    rows = Path(f"/proc/{process}/status").read_text().splitlines()
    row = next(row for row in rows if row.startswith(key))
    return int(row.split()[1]) * 1024


def processor_seconds(process: int) -> float:
    """Processor time that the process has used so far, in its own code and in the kernel's."""
    # After the name in parentheses: utime and stime are the 14th and 15th field of all.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
