"""Runs of whole benchmarks for tests of tables, and tables as dictionaries."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fake_runs import write_best, write_run

from cut.report.table import Table
from cut.results.rows import Row, rows_of
from cut.results.run import load_run

ALL = {"identity": True, "n_patches": 256, "nce_layers": [0, 4, 8, 12, 16], "tau": 0.07}
BANK = {"negatives": "external", "n_external": 255, "bank_size": 16384}
VARIANTS = {
    "cut": {},
    "no-id-15neg": {"identity": False, "n_patches": 16},
    "last": {"nce_layers": [16]},
    "int-and-ext": {**BANK, "negatives": "both"},
    "ext-only": BANK,
    "tau-0.2": {"tau": 0.2},
}
TABLE1 = (
    "copy",
    "cyclegan",
    "munit",
    "drit",
    "distancegan",
    "selfdistance",
    "gcgan",
    "cut",
    "fastcut",
    "real",
)
UNPAIRED = {"l1": None, "ssim": None}


def write_variants(root: Path, dataset: str, fid: float, seeds: int = 1) -> list[Path]:
    """Write an ablation's rows on one data set, their FIDs from `fid` up."""
    shared = {"size": [256, 256], "dataset": dataset, "images": 0, "points": 1}
    copy = {"fid": 200.0, **UNPAIRED}
    runs = [write_run(root / dataset / "copy" / "0", "copy", scores=copy, **shared)]
    for i, (name, changes) in enumerate(VARIANTS.items()):
        for seed in range(seeds):
            runs.append(
                write_run(
                    root / dataset / name / str(seed),
                    name,
                    algorithm="moco" if "negatives" in changes else "cut",
                    seed=seed,
                    scores={"fid": fid + i + seed, **UNPAIRED},
                    options={**ALL, **changes},
                    **shared,
                )
            )
    return runs


def write_table1(root: Path, seeds: int) -> list[Path]:
    """Write Table 1's rows with every score that its data sets have."""
    runs = []
    for dataset in ("cityscapes", "cat2dog", "horse2zebra"):
        labels = {"miou": 0.2, "pixel_accuracy": 0.6, "class_accuracy": 0.3}
        given = labels if dataset == "cityscapes" else UNPAIRED
        for name, seed in ((name, seed) for name in TABLE1 for seed in range(seeds)):
            run = write_run(
                root / dataset / name / str(seed),
                name,
                dataset=dataset,
                seed=seed,
                scores={"fid": 400.0 + 30 * seed, **given},
                images=0,
                points=1,
                size=[256, 256],
            )
            runs.append(run if name in ("copy", "real") else write_best(run, {2: 410.0, 5: 420.0}))
    return runs


def rows(folders: Sequence[Path]) -> list[Row]:
    """Return the rows of some runs."""
    return rows_of(map(load_run, folders))


def texts(table: Table) -> dict[str, dict[tuple[str, str], str]]:
    """Return a table's texts: {row's name: {(group, column's label): text}}."""
    heads = [(column.group, column.label) for column in table.columns]
    return {
        row.name: dict(zip(heads, [cell.text for cell in line], strict=True))
        for row, line in table.lines
    }
