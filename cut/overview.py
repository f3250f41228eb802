"""One table over all data sets of a benchmark, as papers print it: Table 1, or an ablation.

    python -m cut.overview --out DIR [--ablation] RUN_DIR...

Writes `DIR/overview.{md,tex,csv}`: a row a method, and for each data set the measured FID, the
published one, their difference and a verdict. With `--ablation` the files are called `ablation`
and the options that tell CUT's variants apart stand in columns, as in Fig. 4 of the paper. The same
runs give the same bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cut.captions import caption
from cut.comparable import check_comparable
from cut.errors import UserError, command
from cut.published import DIFFERENCE, compare, published_entry
from cut.results import METRICS, PAIRED, Run, by_dataset, load_run, present, values_of
from cut.tables import (
    ARROWS,
    Cell,
    Table,
    in_rows,
    latex,
    markdown,
    measured,
    name_of,
    parser,
    write_all,
)

COSTS = ("seconds_per_iteration", "peak_memory_gb")
BESIDE = ("published", "difference", "verdict")
# The scores of label maps that the paper gives for Cityscapes.
SEGMENTATION = ("miou", "pixel_accuracy", "class_accuracy")
YES = {True: "✓", False: "✗"}
# Options that columns of their own show.
SHOWN = {"identity", "n_patches", "nce_layers", "negatives", "n_external", "bank_size"}


def variant_columns(rows: Sequence[Sequence[Run]]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the columns that tell CUT's variants apart, and each row's cells by its name.

    Columns: identity term, negatives a query, layers, internal and external negatives; and one of
    other options, where a row has any that the first variant has not.
    """
    variants = [row for row in rows if "nce_layers" in row[0].facts["options"]]
    names = ["Id", "Negs", "Layers", "Int", "Ext"]
    every = max((r[0].facts["options"]["nce_layers"] for r in variants), key=len, default=[])
    cells = {row[0].facts["method"]: _variant(row[0].facts["options"], every) for row in variants}
    others = {row[0].facts["method"]: _others(row[0], variants[0][0]) for row in variants}
    if any(others.values()):
        names.append("other options")
        cells = {name: [*cell, others[name] or "–"] for name, cell in cells.items()}
    return names, cells


def _variant(options: dict[str, Any], every: Sequence[int]) -> list[str]:
    negatives = options.get("negatives", "internal")
    internal, external = negatives != "external", negatives != "internal"
    counts = [options["n_patches"] - 1] if internal else []
    counts += [options["n_external"] or options["bank_size"]] if external else []
    layers = options["nce_layers"]
    shown = "all" if layers == every else "last" if layers == every[-1:] else None
    return [
        YES[options["identity"]],
        " + ".join(map(str, counts)),
        shown or " ".join(map(str, layers)),
        YES[internal],
        YES[external],
    ]


def _others(run: Run, first: Run) -> str:
    """Return the options in which a variant differs from the first one, columns' aside."""
    mine, base = run.facts["options"], first.facts["options"]
    return ", ".join(
        f"{name} {mine[name]}"
        for name in mine
        if name not in SHOWN and name in base and mine[name] != base[name]
    )


def build(runs: Sequence[Run], ablation: bool) -> Table:
    """Return the table over all data sets of `runs`."""
    rows = in_rows(runs)
    title = "Ablation" if ablation else "Overview"
    names, variants = variant_columns(rows) if ablation else ([], {})
    if ablation and not variants:
        raise UserError("none of these runs is a variant of CUT; an ablation's table needs one")
    table = Table(title, ["row" if ablation else "method", *names])
    for row in rows:
        options = variants.get(row[0].facts["method"], ["–"] * len(names))
        table.rows.append([Cell(name_of(row)), *map(Cell, options)])
    for dataset in by_dataset(runs):
        mine = [[run for run in row if run.facts["dataset"] == dataset] for row in rows]
        _add_dataset(table, dataset, mine)
    for metric in COSTS:
        table.header.append(METRICS[metric].label + ARROWS[METRICS[metric].better])
        for cells, row in zip(table.rows, rows, strict=True):
            # One machine may train several sets at once: the first set's time is shown.
            first = [run for run in row if run.facts["dataset"] == row[0].facts["dataset"]]
            cells.append(measured(table, first, metric))
    table.caption = _caption(runs)
    return table


def _shown(rows: Sequence[Sequence[Run]]) -> list[str]:
    """Return the scores with a column: FID always, others where a run has them."""
    runs = [run for row in rows for run in row]
    return ["fid", *present(runs, ("fid_best", *SEGMENTATION, *PAIRED))]


def _add_dataset(table: Table, dataset: str, rows: Sequence[Sequence[Run]]) -> None:
    """Append one data set's columns; a row may have no run on it."""
    for metric in _shown(rows):
        entries = [published_entry(dataset, row[0].facts["method"], metric) if row else None
                   for row in rows]  # fmt: skip
        table.header.append(f"{dataset} {METRICS[metric].label}{ARROWS[METRICS[metric].better]}")
        for cells, row in zip(table.rows, rows, strict=True):
            cells.append(measured(table, row, metric) if row else Cell("–"))
        if any(entries):
            table.header += BESIDE
            for cells, row, entry in zip(table.rows, rows, entries, strict=True):
                cells += _beside(row, entry, metric)


def _beside(row: Sequence[Run], entry: dict[str, Any] | None, metric: str) -> list[Cell]:
    """Return the published score, measured minus published, and how they compare."""
    if entry is None:
        return [Cell("–")] * 3
    values = values_of(row, metric)
    if not values:
        return [Cell(METRICS[metric].show(entry["value"])), Cell("–"), Cell("–")]
    found = compare(row[0], values, entry)
    return [Cell(found.published), Cell(found.signed), Cell(found.verdict)]


def _caption(runs: Sequence[Run]) -> list[str]:
    """Return each data set's own caption, its name in front, without saying a sentence twice."""
    sentences: dict[str, None] = {}
    for dataset, mine in by_dataset(runs).items():
        entries = {run.facts["method"]: published_entry(dataset, run.facts["method"], "fid")
                   for run in mine}  # fmt: skip
        first, *rest = caption(dataset, mine, entries)
        sentences |= dict.fromkeys([f"{dataset}: {first[0].lower()}{first[1:]}", *rest])
    found = list(sentences)
    if any("Published" in sentence for sentence in found):
        found.append(DIFFERENCE)
    return found


def as_csv(table: Table) -> str:
    """Return the cells as the table shows them, headers made unique by their data set."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    header, score = [], ""
    for name in table.header:
        plain = name.removesuffix(" ↓").removesuffix(" ↑")
        header.append(f"{score} {plain}" if name in BESIDE else plain)
        score = score if name in BESIDE else plain.removesuffix(" FID")
    writer.writerow(header)
    writer.writerows([cell.text for cell in row] for row in table.rows)
    return text.getvalue()


def write_overview(out: Path, folders: Sequence[Path], ablation: bool) -> list[Path]:
    """Write the table of the runs in `folders` into `out`; return the files.

    Raises:
        UserError: a run's files are missing or damaged, or runs can't stand in one table.
    """
    runs = [load_run(folder) for folder in folders]
    check_comparable(runs)
    table = build(runs, ablation)
    stem = out / ("ablation" if ablation else "overview")
    texts = {".md": markdown(table), ".tex": latex(table), ".csv": as_csv(table)}
    return write_all({stem.with_suffix(end): text for end, text in texts.items()})


def main(argv: Sequence[str] | None = None) -> int:
    """Write one table over all data sets."""
    given = parser("cut.overview", "Write one table over all data sets.")
    given.add_argument("--ablation", action="store_true", help="show the options of CUT's rows")
    args = given.parse_args(argv)
    write_overview(args.out, args.runs, args.ablation)
    return 0


if __name__ == "__main__":
    command(main)
