"""Merge runs from several machines or clusters into the same tables.

Finds every finished and scored run below the given folders and writes the tables that the workflow
would have written: `scores.csv`, the tables of each data set, the one over all of them, and with
several seeds those over seeds. A run is identified by data set, row and seed. A run that is found
twice must be the same in everything that decides its scores. Runs that were scored by different
protocols, on different versions of a data set, or with other options or code under one name are
refused with the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cut.base.errors import UserError
from cut.report.dataset_tables import write_tables
from cut.report.overview_table import write_overview
from cut.report.seed_tables import write_seed_tables
from cut.results.protocol import comparison_key, what_decides
from cut.results.run import Run, load_run
from cut.results.seed_deviation import SeedDeviations


def find_runs(folders: Sequence[Path]) -> tuple[list[Run], list[Path]]:
    """Return the runs below `folders`, each once, and the folders of unfinished ones.

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
            same = found.setdefault(_identity(run), run)
            if differ := _differences(same, run):
                raise UserError(
                    f"{same.folder} and {run.folder} are both {run.record.method} with seed"
                    f" {run.record.seed} on {run.record.dataset}, with different"
                    f" {' and '.join(differ)}; give one of them"
                )
    return list(found.values()), unfinished


def _identity(run: Run) -> tuple[str, str, int]:
    return run.record.dataset, run.record.method, run.record.seed


def _differences(one: Run, other: Run) -> list[str]:
    """Return the names of everything in which two records of one run differ."""

    def facts(run: Run) -> dict[str, Any]:
        best = run.best and (run.best.record, run.best.scored.scores)
        scores = {"scores": run.scored.scores, "best epoch": best}
        return what_decides(run) | comparison_key(run) | scores

    mine, theirs = facts(one), facts(other)
    return [name for name in mine | theirs if mine.get(name) != theirs.get(name)]


def collect(
    out: Path,
    folders: Sequence[Path],
    ablation: bool = False,
    deviations: SeedDeviations | None = None,
) -> None:
    """Write the tables of every scored run below `folders` into `out`.

    `deviations` are those that `rows_of` takes.

    Raises:
        UserError: there is none, runs can't stand in one table, or as `rows_of`.
    """
    runs, unfinished = find_runs(folders)
    for folder in unfinished:
        state = "not scored" if (folder / "run.json").is_file() else "still to be trained"
        print(f"left out {folder}: {state}")
    if not runs:
        raise UserError("no run below these folders is scored yet")
    places = [run.folder for run in sorted(runs, key=_identity)]
    write_tables(out, places, deviations)
    write_overview(out, places, ablation, deviations)
    if len({run.record.seed for run in runs}) > 1:
        write_seed_tables(out, places)
