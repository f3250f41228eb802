"""Checks of the options in a configuration.

They need no files: `cut.plan.inputs` checks the files that a configuration names.
"""

from __future__ import annotations

from cut.base.errors import UserError
from cut.plan.config import Config

# Options of the loop that `best` sets, and the key of `best` for each.
BEST_DECIDES = {"snapshot_every": "every", "held_out": "held_out"}


def check_best(config: Config, row: str) -> None:
    """Refuse options of the loop that `best` would override.

    Raises:
        UserError: the option, and where to give it instead.
    """
    own = config.methods[row].training if row in config.methods else {}
    for place, given in (("training", config.training), (f"methods.{row}.training", own)):
        for option, key in BEST_DECIDES.items():
            if config.best and option in given:
                raise UserError(
                    f"{place}.{option} is given, and best decides it; give best.{key} alone"
                )
