"""Paths in a configuration: `~` is expanded, and what a workflow can't carry is refused."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from cut.base.errors import UserError
from cut.base.files import user_path

# Braces are Snakemake's wildcards; control characters and halves of characters end lines and logs.
NOT_CARRIED = re.compile(r"[{}\0-\x1f\x7f\ud800-\udfff]")


def carried(text: str) -> str:
    """Return a path with `~` expanded.

    Raises:
        ValueError: it is empty, has characters that Snakemake can't carry, or a home that is not
            known.
    """
    if not text or text != text.strip():
        raise ValueError("a path is not empty, and has no space at either end")
    if NOT_CARRIED.search(text):
        raise ValueError("Snakemake can't carry braces and control characters in a path; rename it")
    try:
        return str(user_path(text))
    except UserError as error:
        raise ValueError(str(error)) from None


def folder(text: str) -> str:
    """Return a folder's path without "./", "//" and a slash at the end.

    Raises:
        ValueError: see `carried`; or it is the root, the working directory, or one around it.
    """
    path = os.path.normpath(carried(text))
    if Path.cwd().is_relative_to(Path(path).absolute()) or path.strip("./") == "":
        raise ValueError("that folder holds other things too; give one of its own")
    return path


GivenPath = Annotated[str, AfterValidator(carried)]
Folder = Annotated[str, AfterValidator(folder)]


def check_apart(results: str, data: str, taken: Collection[str]) -> None:
    """Refuse folders of results and data whose files would mix.

    Args:
        results: the folder of results.
        data: the folder of data sets.
        taken: names that the workflow uses inside `results`.

    Raises:
        UserError: they are one folder, results are among the data sets, or the data sets have the
            place of something in the results.
    """
    ours, sets = (Path(os.path.realpath(path)) for path in (results, data))
    if ours.is_relative_to(sets):
        raise UserError(
            f"results is {results!r} and data is {data!r}, whose files would mix; give results a"
            " folder outside of data"
        )
    if sets.is_relative_to(ours) and sets.relative_to(ours).parts[0].lower() in taken:
        raise UserError(
            f"data is {data!r}, which the workflow uses inside results {results!r}; give data"
            " another folder"
        )
