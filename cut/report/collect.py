"""Merge runs from several machines or clusters into the same tables.

Finds every finished and scored run below the folders given and writes the tables that the workflow
would have written: `scores.csv` (one value a row), a table a data set, one over all of them, and
with several seeds a summary over those. A run is its data set, row and seed. The same run found
twice must be the same in all that decides its scores; runs that were scored by different
protocols, on different versions of a data set, or with other options or code under one name are
refused, with what differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cut.base.errors import UserError
from cut.report.dataset_tables import write_tables
from cut.report.overview_table import write_overview
from cut.report.seed_tables import write_summary
from cut.results.protocol import comparison_key, what_decides
from cut.results.run import Run, load_run


def find_runs(folders: Sequence[Path]) -> tuple[list[Run], list[Path]]:
    """Return the runs below `folders`, each once, and the folders of those not yet scored.

    Raises:
        UserError: a folder has none, or one run was found twice and they differ.
    """
    found: dict[tuple, Run] = {}
    unfinished = []
    for folder in folders:
        records = sorted(folder.rglob("run.json"))
        states = {state.parent.parent for state in folder.rglob("state/*.pt")}
        unfinished += sorted(states - {record.parent for record in records})
        if not records and not states:
            raise UserError(f"there is no run below {folder}; give a folder of results")
        for record in records:
            if not (record.parent / "scores.json").is_file():
                unfinished.append(record.parent)
                continue
            run = load_run(record.parent)
            key = (run.facts["dataset"], run.facts["method"], run.facts["seed"])
            same = found.setdefault(key, run)
            if differ := _difference(same, run):
                raise UserError(
                    f"{same.folder} and {run.folder} are both {key[1]} with seed {key[2]} on"
                    f" {key[0]}, with different {differ}; give one of them"
                )
    return list(found.values()), unfinished


def _difference(one: Run, other: Run) -> str:
    """Return in what two records of one run differ, or "" where they are of the same run."""
    parts = [
        (what_decides(one), what_decides(other)),
        (comparison_key(one), comparison_key(other)),
        ({"scores": one.scores, "best epoch": one.best},
         {"scores": other.scores, "best epoch": other.best}),
    ]  # fmt: skip
    names = [name for mine, theirs in parts for name in {**mine, **theirs}
             if mine.get(name) != theirs.get(name)]  # fmt: skip
    return " and ".join(names)


def collect(out: Path, folders: Sequence[Path], ablation: bool = False) -> None:
    """Write the tables of every scored run below `folders` into `out`.

    Raises:
        UserError: there is none, or runs cannot be in one table.
    """
    runs, unfinished = find_runs(folders)
    for folder in unfinished:
        state = "not scored" if (folder / "run.json").is_file() else "still to be trained"
        print(f"left out {folder}: {state}")
    if not runs:
        raise UserError("no run below these folders is scored yet")
    places = [run.folder for run in sorted(runs, key=_place)]
    write_tables(out, places)
    write_overview(out, places, ablation)
    if len({run.facts["seed"] for run in runs}) > 1:
        write_summary(out, places)


def _place(run: Run) -> tuple[str, str, int]:
    return run.facts["dataset"], run.facts["method"], run.facts["seed"]
