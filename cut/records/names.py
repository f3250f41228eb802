"""Names of rows and data sets. They become names of folders and of tables, so they are checked.

The same rule holds for a configuration and for the records of others.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from cut.base.errors import UserError

LONGEST = 80  # characters; a table's file has a few more, and file systems take 255 bytes
PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
NAME = re.compile(PATTERN[1:-1])

# Reserved names: folders beside those of rows and data sets, and files in `tables/` and `data/`.
ROWS_TAKEN = ("test", "train", "held_out")
SETS_TAKEN = (
    "tables",
    "logs",
    "figures",
    "site",
    "scores",
    "seeds",
    "overview",
    "ablation",
    "inception.json",
)
# Reserved endings: the other tables of a data set, as `set-scores.md`.
ENDINGS_TAKEN = ("-scores", "-seeds")


def _no_row(name: str) -> str:
    return _free(name, ROWS_TAKEN)


def _no_set(name: str) -> str:
    return _free(name, SETS_TAKEN)


def _free(name: str, taken: Sequence[str]) -> str:
    if name.lower() in taken:
        raise ValueError("results keep files of their own under that name")
    return name


Name = Annotated[str, Field(pattern=PATTERN, max_length=LONGEST)]
RowName = Annotated[Name, AfterValidator(_no_row)]
SetName = Annotated[Name, AfterValidator(_no_set)]


def check_rows(names: Collection[str]) -> None:
    """Refuse names of rows that cannot be folders of their own.

    Raises:
        UserError: as `check_sets`.
    """
    _check("row", names, ROWS_TAKEN, ())


def check_sets(names: Collection[str]) -> None:
    """Refuse names of data sets that cannot be folders or tables of their own.

    Raises:
        UserError: a name has a character that is not allowed, is reserved, is another name with a
            reserved ending, or differs from another name only in case.
    """
    _check("data set", names, SETS_TAKEN, ENDINGS_TAKEN)


def _check(what: str, names: Collection[str], taken: Sequence[str], endings: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if not NAME.fullmatch(name) or len(name) > LONGEST:
            raise UserError(
                f"{what} {name[:LONGEST]!r}: a name starts with a letter or digit, then those and"
                f" . _ -, and has at most {LONGEST} characters"
            )
        if name.lower() in taken:
            raise UserError(
                f"{what} {name!r}: the workflow keeps files of its own under that name; choose"
                " another"
            )
        for end in endings:
            if name.endswith(end) and name.removesuffix(end) in names:
                raise UserError(
                    f"{what} {name!r} would share tables with {name.removesuffix(end)!r}, whose"
                    f" end in {end}; choose another"
                )
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise UserError(
                f"{what} {name!r} differs from {other!r} in case alone, which some file systems"
                " don't tell apart; choose another"
            )
