"""Refuse a plan that would replace finished runs, before any job starts.

It reads the `run.json` of each planned run, and no weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cut.base.files import sha256_of, user_path
from cut.base.image_size import height_width
from cut.plan.plan import Plan
from cut.plan.rows import PlannedRow
from cut.records.dataset import DatasetRecord
from cut.records.run import RunRecord
from cut.training.differences import check_replaced


def check_finished_runs(plan: Plan, directory: Path = Path()) -> None:
    """Refuse to replace a finished run that differs, unless the config says `replace: true`.

    Args:
        plan: the plan.
        directory: the folder that its paths start from.

    Raises:
        UserError: the first such run, and how it differs.
    """
    if plan.config.replace:
        return
    for run in map(Path, plan.runs()):
        record = RunRecord.find(directory / run / "run.json")
        if record is None:
            continue
        dataset, row, seed = run.parts[-3:]
        wanted = {**wanted_of(plan, plan.rows[row], directory), "seed": int(seed[4:])}
        if data := DatasetRecord.find(directory / plan.config.data / dataset / "dataset.json"):
            wanted["dataset_digest"] = data.digest
        check_replaced(directory / run, record, wanted)


def wanted_of(plan: Plan, row: PlannedRow, directory: Path) -> dict[str, Any]:
    """Return the fields of `run.json` that a row decides, whatever the data set and the seed."""
    wanted: dict[str, Any] = {
        "method": row.name,
        "algorithm": row.algorithm,
        "code_digest": row.code,
        "size": height_width(plan.config.size),
        "fit": plan.config.fit,
        "options": row.every_option,
        "training": row.every_training,
    }
    if row.commands is None:
        wanted |= {"device": plan.config.device, "begun_from": begun_from(row, directory)}
    return wanted


def begun_from(row: PlannedRow, directory: Path = Path()) -> str:
    """Return the sha256 of the weights that a row's trainings begin from, or an empty text."""
    place = row.training.get("begin_from")
    if not place:
        return ""
    path = directory / user_path(place)
    path = path / "generator.pt" if path.is_dir() else path
    return sha256_of(path) if path.is_file() else ""
