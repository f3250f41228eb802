"""Digests of all that a benchmark leaves and that has to be the same after any number of kills."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from pathlib import Path

# What differs between two runs of the same benchmark: times and memory; how often the training
# state is saved, which a campaign changes; and the digests of records of these.
VOLATILE = re.compile(
    r"seconds|memory|per_second|started|ended|checkpoint_minutes|^sha256$|^history_sha256$"
)
# Files of which no digest is compared. Tables of text and the page show times; their numbers are in
# the CSV files. The names are compared all the same.
OPAQUE = re.compile(r"\.(md|tex|html|js|css|log|pdf|tsv|lock)$|\.log\.json$|-cost\.png$")
# Times of files, by which a prepared data set knows that it was not touched.
TIMES_OF_FILES = ".verified.json"


def digests(folder: Path) -> dict[str, str]:
    """Return {name: digest} of every file below results/ and data/ in `folder`."""
    paths = [path for part in ("results", "data") for path in (folder / part).rglob("*")]
    return {
        str(path.relative_to(folder)): hashlib.sha256(_content(path)).hexdigest()[:16]
        for path in sorted(paths)
        if path.is_file()
    }


def _content(path: Path) -> bytes:
    """Return the part of a file that has to be the same; all of a damaged one."""
    try:
        return _steady_part(path)
    except ValueError:
        return path.read_bytes()


def _steady_part(path: Path) -> bytes:
    if OPAQUE.search(str(path)) or path.name == TIMES_OF_FILES:
        return b""
    if path.suffix == ".json":
        return json.dumps(_steady(json.loads(path.read_text())), sort_keys=True).encode()
    if path.suffix == ".csv":
        rows = csv.DictReader(io.StringIO(path.read_text()))
        # scores.csv has one line per metric; the times are metrics too.
        kept = [row for row in rows if not VOLATILE.search(row.get("metric") or "")]
        return json.dumps([_steady(row) for row in kept]).encode()
    return path.read_bytes()


def _steady(value: object) -> object:
    """Return `value` without the keys that differ from run to run."""
    if isinstance(value, dict):
        return {k: _steady(v) for k, v in value.items() if not VOLATILE.search(str(k))}
    return [_steady(each) for each in value] if isinstance(value, list) else value
