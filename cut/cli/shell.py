"""Run a shell command of a method.

The workflow runs the commands of a `method.yaml` through this, with `--status FILE`. Their output
is passed on. A failure is reported with its exit status and the last line of the output.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from cut.base.errors import UserError

LAST = 4000  # bytes of the output that are searched for its last line


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("line", metavar="COMMAND", help="one argument, as for bash -c")


def run(args: argparse.Namespace) -> int:
    """Run the command; the first step that fails ends it.

    Raises:
        UserError: the command ended with a status other than 0.
    """
    status, output = passed_on(["bash", "-c", f"set -euo pipefail; {args.line}"])
    if status:
        lines = output.decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        how = f"status {status}" if status > 0 else f"signal {-status}"
        raise UserError(f"the command ended with {how}" + (last and f": {last}"))
    return 0


def passed_on(command: list[str]) -> tuple[int, bytes]:
    """Run `command`; return its exit status (-n: signal n) and the end of its output.

    Its standard output and standard error are written to standard output as they come.
    """
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    end = b""
    try:
        while part := process.stdout.read1():
            sys.stdout.buffer.write(part)
            sys.stdout.buffer.flush()
            end = (end + part)[-LAST:]
    except BaseException:
        process.terminate()
        raise
    finally:
        status = process.wait()
    return status, end
