"""What a job's log tells: whether its command still runs, how far it is, and why it ended badly.

A command of this package holds a shared lock on its own output as long as it runs (`cut.cli`),
so a log that is locked is being written. Where locks do not reach (a network file system, a
method's own command) a log that was written to a moment ago counts as well.
"""

from __future__ import annotations

import fcntl
import re
import time
from pathlib import Path

LAST = 16_000  # bytes of a log that are looked at
END = 12  # lines after an error's first line that may belong to it
FRESH = 300  # seconds: a training writes a line far more often
PROGRESS = re.compile(r"^(epoch \S+)  (step \S+)  .*?(\S+) min left$", re.MULTILINE)
ERROR = re.compile(r"error: (.+)")
# What the rule of a method's own command adds; the command's own words say more.
STATUS = "the command ended with status"
TRACEBACK = "Traceback (most recent call last)"
# Last words of what ends without a traceback, or with one that is longer than what is looked at.
FATAL = re.compile(
    r"(?:[\w.]+(?:Error|Exception): .+"
    r"|(?:.* )?(?:Killed|Terminated|Segmentation fault|Bus error|Aborted)\b.*"
    r"|.*\bCUDA (?:error|out of memory)\b.*|.*command not found|.*slurmstepd: error.*"
    r"|terminate called .*|Error in rule .*)"
)


def tail(path: Path) -> str:
    """Return the end of a file, or "" where there is none."""
    if not path.is_file():
        return ""
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - LAST))
        return file.read().decode(errors="replace")


def held(path: Path, like: int = fcntl.LOCK_EX) -> bool:
    """Return whether a process holds a lock on a file that keeps one `like` this away.

    A log's lock is shared, so only LOCK_EX finds it; network file systems refuse that to a reader.
    """
    if not path.is_file():
        return False
    with open(path) as file:
        try:
            fcntl.flock(file, like | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # a file system without locks
            return False
    return False


def age(*paths: Path) -> float:
    """Return the seconds since the last of some files or folders changed."""
    changed = [path.stat().st_mtime for path in paths if path.exists()]
    return time.time() - max(changed, default=0.0)


def reason(text: str) -> str:
    """Return why a command ended badly, by the end of its log; "" where nothing says that it did.

    The last words count: those before a training's line of progress were survived.
    """
    survived = [progress.end() for progress in PROGRESS.finditer(text)]
    text = text[survived[-1] :] if survived else text
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    found, place = "", 0
    for i, line in enumerate(lines):
        if line.startswith(TRACEBACK):
            # The exception stands in the first line that is not indented.
            after = [j for j in range(i + 1, len(lines)) if not lines[j].startswith(" ")]
            place = after[0] if after else len(lines) - 1
            found = lines[place].strip()
        elif error := ERROR.fullmatch(line):
            found, place = found if found and error[1].startswith(STATUS) else error[1], i
        elif i >= len(lines) - 5 and not found and FATAL.fullmatch(line):
            found, place = line, i
    return found if len(lines) - place <= END else ""
