"""Test images of both domains that show the same thing, found by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from cut.base.errors import UserError
from cut.data.registry import Entry


def matched(sources: Iterable[Path], targets: Iterable[Path]) -> dict[str, Path]:
    """Return {stem of a source: the target of its name}.

    Extensions do not count, nor does an ending `_A` or `_B`, which some of CycleGAN's sets have.

    Raises:
        UserError: an image has no image of its name on the other side, or more than one.
    """
    ours, theirs = _by_name(sources), _by_name(targets)
    for these, those in ((ours, theirs), (theirs, ours)):
        if alone := sorted(these.keys() - those.keys()):
            raise UserError(
                f"{these[alone[0]]} has no counterpart {alone[0]}.* among the test images of the"
                " other domain; give paired images equal names, or leave paired out"
            )
    return {path.stem: theirs[name] for name, path in ours.items()}


def declared(entry: Entry, root: Path, images: Iterable[str]) -> bool:
    """Return whether the test images of a set are counterparts by name.

    The registry says what a set's own archive has. A copy of it with other names has no
    counterparts, which is printed.

    Args:
        entry: the set.
        root: its folder, for the sentence.
        images: "FOLDER/NAME" of every image.

    Raises:
        UserError: a config says that they are, and their names differ.
    """
    if not (entry.paired or entry.joint):
        return False
    folders = [f"test{letter}" for letter in entry.letters]
    names = [[root / name for name in images if name.split("/")[0] == f] for f in folders]
    try:
        matched(*names)
    except UserError as error:
        if "paired" in entry.given:
            raise
        print(f"note: {error}; the set has no true counterparts")
        return False
    return True


def _by_name(paths: Iterable[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in paths:
        name = re.sub("_[AB]$", "", path.stem)
        if name in found:
            raise UserError(
                f"{path} and {found[name].name} have the same name {name} without"
                " the ending _A or _B; rename one of them, or leave paired out"
            )
        found[name] = path
    return found
