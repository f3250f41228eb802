"""What the seeds of each row measured: mean, standard deviation, and every single value.

    python -m cut report seeds --out DIR RUN_DIR...

Writes `DIR/seeds.csv`, one row, score and data set a line over all scores that any run has, and for
each data set `DIR/NAME-seeds.{md,tex}` with FID at the last and at the best epoch, and KID. The
deviation is the sample's (n - 1); one seed has none. The same runs give the same bytes.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cut.report.captions import caption
from cut.report.dataset_tables import ARROWS, footnote, in_rows, name_of, write_all
from cut.report.table import Cell, Table, latex, markdown
from cut.results.protocol import check_comparable
from cut.results.run import METRICS, Run, by_dataset, load_run, present, values_of

SHOWN = ("fid", "fid_best", "kid")


def by_seed(row: Sequence[Run], metric: str) -> list[tuple[int, float]]:
    """Return (seed, value) of a row's runs that have the score, by seed."""
    return sorted((run.facts["seed"], value) for run in row for value in values_of([run], metric))


def lines(runs: Sequence[Run]) -> Iterator[dict[str, Any]]:
    """Yield a line for each data set, row and score: values in the units of `METRICS`."""
    for dataset, mine in by_dataset(runs).items():
        for row in in_rows(mine):
            for metric in METRICS:
                found = by_seed(row, metric)
                if not found:
                    continue
                numbers = [value for _, value in found]
                yield {
                    "dataset": dataset,
                    "method": row[0].facts["method"],
                    "metric": metric,
                    "seeds": len(numbers),
                    "mean": statistics.fmean(numbers),
                    "sd": statistics.stdev(numbers) if len(numbers) > 1 else None,
                    "min": min(numbers),
                    "max": max(numbers),
                    "values": " ".join(f"{seed}:{value!r}" for seed, value in found),
                }


def build(dataset: str, runs: Sequence[Run]) -> Table:
    """Return the table of one data set: for each score mean, deviation and every value."""
    shown = present(runs, SHOWN)
    table = Table(f"{dataset}, by seed", ["method", "seeds"])
    for metric in shown:
        label = METRICS[metric].label
        table.header += [f"{label} mean{ARROWS[METRICS[metric].better]}", "sd", "each"]
    for row in in_rows(runs):
        seeds = sorted(run.facts["seed"] for run in row)
        cells = [Cell(name_of(row)), Cell(", ".join(map(str, seeds)))]
        for metric in shown:
            cells += _cells(table, row, metric)
        table.rows.append(cells)
    first, *rest = caption(dataset, runs, {}, shown, spread=False)
    table.caption = [first, "Values stand in the order of the seeds; sd is the sample's.", *rest]
    return table


def _cells(table: Table, row: Sequence[Run], metric: str) -> list[Cell]:
    """Return mean, deviation and each seed's value: a dash in the place of one that has none."""
    show = METRICS[metric].show
    numbers = [value for _, value in by_seed(row, metric)]
    why = footnote(row, metric)
    mark = table.mark(why) if why else ""
    if not numbers:
        return [Cell("–", mark), Cell("–"), Cell("–")]
    deviation = show(statistics.stdev(numbers)) if len(numbers) > 1 else "–"
    in_order = sorted(row, key=lambda run: run.facts["seed"])
    values = [run.value(metric)[0] for run in in_order]
    each = ", ".join("–" if value is None else show(value) for value in values)
    return [Cell(show(statistics.fmean(numbers))), Cell(deviation), Cell(each, mark)]


def write_summary(out: Path, folders: Sequence[Path]) -> list[Path]:
    """Write the summary of the runs in `folders` into `out`; return the files.

    Raises:
        UserError: a run's files are missing or damaged, or runs can't stand in one table.
    """
    runs = [load_run(folder) for folder in folders]
    check_comparable(runs)
    text = pd.DataFrame(lines(runs)).to_csv(index=False, lineterminator="\n")
    written = {out / "seeds.csv": text}
    for dataset, mine in by_dataset(runs).items():
        table = build(dataset, mine)
        written[out / f"{dataset}-seeds.md"] = markdown(table)
        written[out / f"{dataset}-seeds.tex"] = latex(table)
    return write_all(written)
