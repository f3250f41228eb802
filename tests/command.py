"""Running a command of `python -m cut` in this process."""

from __future__ import annotations

from collections.abc import Iterable

from cut import cli


def run_command(command: str, arguments: Iterable[object] = ()) -> int:
    """Run a command such as "report tables" and return its exit status.

    Raises:
        UserError: the command fails.
    """
    return cli.run([*command.split(), *map(str, arguments)])
