"""The resolved rows of a plan, and a memory of them.

Resolving rows imports every method and with them torch, which takes most of the time that planning
takes. Snakemake plans again in each job of a cluster, so the rows are kept in a file and read from
there while the configuration and the source files are the same. This module needs no torch.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cut.base.errors import UserError
from cut.base.files import replacing
from cut.methods.channels import Takes
from cut.methods.sources import sources_digest
from cut.plan.config import Config

# The keys of a configuration that rows depend on.
DECIDE_ROWS = ("run", "methods", "options", "training", "best", "size")


@dataclass(frozen=True)
class Commands:
    """The commands of a method that runs by commands, and the values of its options.

    Attributes:
        folder: the method's folder.
        templates: a command per stage, "train" or "translate", with names in braces.
        values: the text of each option, quoted for a shell.
    """

    folder: str
    templates: dict[str, str]
    values: dict[str, str]

    def command(self, stage: str, places: dict[str, Any]) -> str:
        """Return the shell command of a stage, every value quoted; "" if it has none."""
        given = {"folder": self.folder, **places}
        quoted = {name: shlex.quote(str(value)) for name, value in given.items()}
        return self.templates[stage].format(**self.values, **quoted).strip()


@dataclass(frozen=True)
class PlannedRow:
    """A resolved row. `options` and `training` determine the weights; `loop` cannot.

    `every_option` and `every_training` are the same with all defaults, as `run.json` has them.
    """

    name: str
    algorithm: str
    options: dict[str, Any]
    training: dict[str, Any]
    loop: dict[str, Any]
    threads: int  # of the training step, and one per process that loads images
    trained: bool
    role: str  # "method", or a control: "floor", "ceiling"
    contrastive: bool  # a variant of CUT that trains an encoder, which a figure can show
    code: str
    every_option: dict[str, Any]
    every_training: dict[str, Any]  # empty for a row that the loop does not train
    steps: int = 1  # of a translation; each is scored if there are several
    channels: Takes = "three"  # which numbers of channels it takes
    stochastic: bool = False  # an image has several translations, of which one is scored
    commands: Commands | None = None  # of a method that runs by its own commands

    @property
    def varies(self) -> bool:
        """Return whether another seed may change the numbers, as `cut.results.rows.Row`."""
        return self.trained or self.commands is not None

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> PlannedRow:
        """Return the row that `asdict` made `value` of."""
        commands = value["commands"] and Commands(**value["commands"])
        return cls(**{**value, "commands": commands})


Rows = dict[str, PlannedRow]


def remembered(config: Config, folder: Path, resolve: Callable[[Config], Rows]) -> Rows:
    """Return the rows of `config`: from a file in `folder`, else from `resolve`.

    The file is read only if it was written for the same configuration and the same source files.
    """
    decides = config.model_dump(mode="json", include=set(DECIDE_ROWS))
    asked = json.dumps(decides, sort_keys=True)
    path = folder / f"{hashlib.sha256(asked.encode()).hexdigest()[:16]}.json"
    code = sources_digest()
    try:
        kept = json.loads(path.read_text())
        if kept["code"] == code:
            return {row["name"]: PlannedRow.from_json(row) for row in kept["rows"]}
    except (OSError, ValueError, KeyError, TypeError):
        pass  # none yet, or of another version
    rows = resolve(config)
    text = json.dumps({"code": code, "rows": [asdict(row) for row in rows.values()]}, indent=1)
    try:
        with replacing(path) as temporary:
            temporary.write_text(text)
    except (OSError, UserError):
        pass  # a folder that cannot be written: resolve again next time
    return rows
