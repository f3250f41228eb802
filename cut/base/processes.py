"""Whether a process of this machine still runs."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

TOLERANCE = 5.0  # seconds between a process's start and its first record, on a coarse clock


def host() -> str:
    """Return the name of this machine."""
    return socket.gethostname()


def alive(pid: int, since: float) -> bool:
    """Return whether the process `pid` of this machine runs and already ran at `since`.

    Args:
        pid: number of the process.
        since: seconds since 1970. A process that started later only has the same number.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's process
        pass
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except (OSError, ValueError):  # a system without /proc
        return True
    fields = stat.rpartition(")")[2].split()  # the name in parentheses may have spaces
    state, ticks = fields[0], int(fields[19])
    started = time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")
    return state != "Z" and started < since + TOLERANCE
