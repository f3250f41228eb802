"""Prepare a data set: from a registry entry to verified images on disk and `dataset.json`.

`out/.verified.json` remembers what was verified. As long as identity and files are unchanged, a
second run reads no image. The file also marks `out` as a folder that this command may write to.
"""

from __future__ import annotations

import importlib
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ValidationError

from cut.base.errors import UserError
from cut.base.files import write_json
from cut.data import bits, cityscapes, fetch, joint, pairs
from cut.data.dataset import Dataset
from cut.data.forms import Forms
from cut.data.identity import (
    Stamp,
    fingerprint,
    made_from,
    options_of,
    source_digest,
    stamps,
)
from cut.data.registry import FOLDERS, Entry
from cut.data.source import source_folder
from cut.data.verify import content_digest, extras, find_root, left_out, verify
from cut.records.dataset import DatasetRecord
from cut.records.record import Part

MARK = ".verified.json"


class Origin(BaseModel):
    """The part of `.verified.json` that a plan reads: it makes no objects of the images' names."""

    made_from: dict[str, Any]
    source_digest: str

    @classmethod
    def find(cls, out: Path) -> Self | None:
        """Return the mark of `out`, or None if there is none, or an unreadable or older one."""
        try:
            return cls.model_validate_json((out / MARK).read_bytes())
        except (OSError, ValidationError):
            return None


class Mark(Part):
    """`.verified.json`: what was verified in a folder."""

    fingerprint: str
    made_from: dict[str, Any]
    source_digest: str
    stamps: dict[str, Stamp] | None
    record: DatasetRecord
    placed: bool = True  # whether the images of the folder were put there by this command

    @classmethod
    def find(cls, out: Path) -> Mark | None:
        """Return the mark of `out`, or None if there is none, or an unreadable or older one."""
        try:
            return cls.model_validate_json((out / MARK).read_text())
        except (OSError, UnicodeDecodeError, ValidationError):
            return None

    def write(self, out: Path) -> None:
        """Write the mark into `out`."""
        write_json(out / MARK, self.model_dump(mode="json"))


def verified_record(entry: Entry, out: Path) -> DatasetRecord:
    """Return the record of the data set, after preparing it if that is needed.

    Raises:
        UserError: see `prepare`.
    """
    now = {
        "fingerprint": fingerprint(entry),
        "made_from": made_from(entry),
        "source_digest": source_digest(entry),
    }
    mark = Mark.find(out)
    same = mark is not None and mark.fingerprint == now["fingerprint"]
    if same and mark.stamps == stamps(entry, out / mark.record.root):
        current = mark.model_copy(update=now)
        if current != mark:
            current.write(out)
        return mark.record
    folder = source_folder(entry)
    if folder is not None:
        root = find_root(folder)
        images, forms = verify(root, entry)
        _say_left_out(root, entry, forms)
    else:
        root = out
        images, forms = _place(entry, out)
    record = _record(entry, root, out, images, forms)
    found = stamps(entry, out / record.root)
    Mark(**now, stamps=found, record=record, placed=folder is None).write(out)
    return record


def stands(entry: Entry, out: Path) -> bool:
    """Return whether `out` holds the set that `entry` asks for, by its settings."""
    mark = Origin.find(out)
    made = mark is not None and mark.made_from == made_from(entry)
    return made and (out / "dataset.json").is_file()


def refuse_other(entry: Entry, out: Path) -> None:
    """Refuse a folder that holds the set with the settings of another config.

    Each config would otherwise replace the images of the other one's runs.

    Raises:
        UserError: how the two differ, and what to do.
    """
    mark = Origin.find(out)
    if mark is None:
        return
    there, here = mark.made_from, made_from(entry)
    keys = [key for key in {**here, **there} if here.get(key) != there.get(key)]
    # A source that no longer exists was moved, perhaps with the whole project.
    moved = "://" not in str(there.get("source", "://")) and not Path(there["source"]).exists()
    keys = [key for key in keys if not (key == "source" and moved)]
    if keys:
        old, new = (", ".join(f"{k} {of.get(k)}" for k in keys) for of in (there, here))
        raise UserError(
            f"{out} holds {entry.name} with {old}, but this config asks for {new}: give this"
            f" config a folder of its own, as data: FOLDER, or delete {out} to prepare it again"
        )


def _record(
    entry: Entry, root: Path, out: Path, images: dict[str, str], forms: Forms
) -> DatasetRecord:
    """Return the record. It is the same on every machine, unless the images are used in place."""
    absolute, base = root.resolve(), out.resolve()
    inside = absolute.is_relative_to(base)
    folders = [name.split("/")[0] for name in images]
    source, target = entry.task
    return DatasetRecord(
        dataset=entry.name,
        root=str(absolute.relative_to(base) if inside else absolute),
        source=source,
        target=target,
        direction=entry.direction,
        digest=content_digest(images, entry.direction, forms),
        counts=dict(Counter(folders)),
        paired=pairs.declared(entry, root, images),
        licence=entry.licence,
        citation=entry.citation,
        options=options_of(entry),
        forms=forms,
        images=images,
    )


def _place(entry: Entry, out: Path) -> tuple[dict[str, str], Forms]:
    """Unpack or make images beside `out`, verify them, move them in; return what `verify` does."""
    _refuse_foreign(entry, out)
    work = out.parent / f".{out.name}.tmp"  # a fixed name: removes the rest of a killed run
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        archives = cityscapes.sources(entry)
        if entry.generator is not None:
            importlib.import_module(entry.generator).generate(work, **options_of(entry))
        elif archives is not None:
            cityscapes.convert(entry, archives, work)
        else:
            fetch.bring(entry, work, out)
        try:
            if entry.scaled:
                bits.scale(work, entry)
            if entry.joint:
                joint.split(work, entry)
            images, forms = verify(work, entry)
        except UserError as error:
            # The user knows the archive and not the temporary folder: name the path inside it.
            raise UserError(
                str(error).replace(f"{work}{os.sep}", f"{entry.source or entry.name}: ")
            ) from None
        for other in _say_left_out(work, entry, forms):
            other.unlink()
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / MARK, {})  # marks the folder as ours, even after a kill between two moves
        for old in (*FOLDERS, *extras(entry)):
            shutil.rmtree(out / old, ignore_errors=True)
        for new in sorted(path for path in work.iterdir() if path.is_dir()):
            os.replace(new, out / new.name)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return images, forms


def _say_left_out(root: Path, entry: Entry, forms: Forms) -> list[Path]:
    """Print how many files are no images, and of how many the first frame alone is used.

    Returns the files that are no images.
    """
    others, several = left_out(root, entry, forms)
    for what, paths in (
        ("left out, because they are no images", others),
        ("of several frames or pages, of which the first is used", several),
    ):
        if paths:
            some = ", ".join(f"{path.parent.name}/{path.name}" for path in paths[:3])
            more = ", …" if len(paths) > 3 else ""
            print(f"{what}: {len(paths)} files ({some}{more})")
    return others


def _refuse_foreign(entry: Entry, out: Path) -> None:
    """Refuse an `out` with image folders of the user, which would be replaced.

    They may also be there with a mark, after they were verified where they are.
    """
    mark = Mark.find(out)
    ours = mark.placed if mark is not None else (out / MARK).is_file()
    for folder in (*FOLDERS, *extras(entry)):
        if (out / folder).exists() and not ours:
            raise UserError(
                f"{out / folder} exists and was not written by this command; give another --out, "
                f"or --source {out} to use the images where they are"
            )


def known_source_digest(entry: Entry, out: Path) -> str:
    """Return `source_digest`, or the one that `out` was made from if the source is gone."""
    if now := source_digest(entry):
        return now
    mark = Origin.find(out)
    return mark.source_digest if mark else ""


def prepare(entry: Entry, out: Path) -> Dataset:
    """Fetch, unpack or generate the data set, verify it, and write `out/dataset.json`.

    A set that was verified before, and whose files have not changed, is not read again.

    Raises:
        UserError: the first thing that is wrong, with the name of the file.
    """
    out = Path(out)
    record = verified_record(entry, out)
    path = out / "dataset.json"
    # An equal record keeps its modification time, so that nothing that depends on it runs again.
    if not record.stands(path):
        record.write(path)
    return Dataset.load(path)
