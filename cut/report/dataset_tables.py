"""Tables of what was measured, with the published number beside it.

    python -m cut report tables --out DIR RUN_DIR...

Writes `DIR/scores.csv`, one value per row in the units of the metric catalogue, and for each
data set `DIR/NAME.md`, `.tex` (see `cut.report.table`) and `.csv`, one method per row in the order
given (the control `copy` first, `real` last); and the other scores in `DIR/NAME-scores.md` and
`.tex`. The same runs give the same bytes.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cut.base.files import replacing
from cut.metrics import input_distance, prdc
from cut.records.run_record import CONTROLS
from cut.report.captions import caption
from cut.report.table import Cell, Table, latex, markdown
from cut.results.published import published_entry
from cut.results.run import METRICS, PAIRED, Run, by_dataset, load_run, present, values_of
from cut.results.tidy import frame

SHOWN = ("fid", "fid_best", "kid", "l1", "ssim", "seconds_per_iteration", "peak_memory_gb")
# What a table of its own shows: fidelity and variety apart, closeness to the input and its labels.
OTHERS = ("fid_infinity", "precision", "recall", "density", "coverage", "perceptual",
          "self_similarity", "miou", "pixel_accuracy", "class_accuracy")  # fmt: skip
PUBLISHED = ("fid", "seconds_per_iteration", "peak_memory_gb")
ARROWS = {"lower": " ↓", "higher": " ↑", "": ""}


def in_rows(runs: Sequence[Run]) -> list[list[Run]]:
    """Return the runs of one data set by row: `copy`, the methods as given, `real`."""
    rows: dict[str, list[Run]] = {}
    for run in runs:
        rows.setdefault(run.facts["method"], []).append(run)
    place = {CONTROLS[0]: -1, CONTROLS[1]: 1}
    return sorted(rows.values(), key=lambda row: place.get(row[0].facts["algorithm"], 0))


def name_of(row: Sequence[Run]) -> str:
    """Return what a row is called in a table."""
    return row[0].facts["method"] + (" (control)" if row[0].control else "")


def shown_metrics(runs: Sequence[Run]) -> list[str]:
    """Return the metrics with a column: those that need true counterparts, or generators kept
    along the way, only where there are some.
    """
    found = present(runs, (*PAIRED, "fid_best"))
    return [m for m in SHOWN if m not in (*PAIRED, "fid_best") or m in found]


def build(dataset: str, runs: Sequence[Run]) -> Table:
    """Return the table of one data set's runs."""
    rows = in_rows(runs)
    metrics = shown_metrics(runs)
    entries = {run.facts["method"]: published_entry(dataset, run.facts["method"], "fid")
               for run in runs}  # fmt: skip
    with_published = any(entries.values())
    header = ["method", *(METRICS[m].label + ARROWS[METRICS[m].better] for m in metrics)]
    if with_published:
        header.insert(2, "FID published")
    with_interval = bool(present(runs, ["fid_low"]))
    if with_interval:
        header.insert(2, "95 % interval")
    table = Table(dataset, [*header, "epochs", "seeds"])
    for row in rows:
        facts = row[0].facts
        cells = [Cell(name_of(row)), *(measured(table, row, m) for m in metrics)]
        if with_published:
            entry = entries[facts["method"]]
            cells.insert(2, Cell(METRICS["fid"].show(entry["value"]) if entry else "–"))
        if with_interval:
            cells.insert(2, _interval(table, row))
        epochs = Cell(str(facts["epochs"])) if facts["iterations"] else Cell("–")
        table.rows.append([*cells, epochs, Cell(str(len(row)))])
    shown = [*metrics, *(["fid_low"] if with_interval else [])]
    table.caption = caption(dataset, runs, entries, shown)
    return table


def build_others(dataset: str, runs: Sequence[Run]) -> Table:
    """Return the table of one data set's other scores; where no run has any, of the usual ones."""
    metrics = present(runs, OTHERS) or [*prdc.NAMES, *input_distance.NAMES]
    labels = [METRICS[m].label + ARROWS[METRICS[m].better] for m in metrics]
    table = Table(f"{dataset}, other scores", ["method", *labels])
    for row in in_rows(runs):
        table.rows.append([Cell(name_of(row)), *(measured(table, row, m) for m in metrics)])
    table.caption = caption(dataset, runs, {}, metrics)
    return table


def _interval(table: Table, row: Sequence[Run]) -> Cell:
    """Return the bootstrap interval of a row's FID, which belongs to one training."""
    if len(row) > 1:
        return Cell("–", table.mark("each seed has an interval of its own: see scores.csv"))
    bounds = [row[0].value(name) for name in ("fid_low", "fid_high")]
    if bounds[0][0] is None or bounds[1][0] is None:
        return Cell("–", table.mark(bounds[0][1]))
    low, high = (METRICS["fid"].show(value) for value, _ in bounds)
    return Cell(f"{low} to {high}")


def footnote(row: Sequence[Run], metric: str) -> str:
    """Return why a row has no value, or which of its seeds have none and why; or ""."""
    lost = {run.facts["seed"]: why for run in row if (why := run.value(metric)[1])}
    if len(lost) == len(row):
        return next(iter(lost.values()))
    seeds = "; ".join(f"seed {seed}: {why}" for seed, why in lost.items())
    return f"{METRICS[metric].label} without {seeds}" if lost else ""


def mean_and_deviation(numbers: Sequence[float], metric: str) -> str:
    """Return the mean, and the sample's deviation where there are several; a dash for none."""
    show = METRICS[metric].show
    text = show(statistics.fmean(numbers)) if numbers else "–"
    return text + (f" ± {show(statistics.stdev(numbers))}" if len(numbers) > 1 else "")


def measured(table: Table, row: Sequence[Run], metric: str, epoch: bool = True) -> Cell:
    """Return a cell with the mean (and deviation over seeds), or a dash with its reason.

    `epoch`: beside the FID of a single training's best epoch stands which one that is.
    """
    numbers = values_of(row, metric)
    text = mean_and_deviation(numbers, metric)
    if epoch and metric == "fid_best" and numbers and len(row) == 1:
        text += f" at {METRICS['epoch_best'].show(row[0].value('epoch_best')[0])}"
    why = footnote(row, metric)
    return Cell(text, table.mark(why) if why else "")


def wide(tidy: pd.DataFrame, rows: Sequence[Sequence[Run]]) -> pd.DataFrame:
    """Return one method a row: means, and deviations over seeds, in the units of `tidy`."""
    lines = []
    metrics = shown_metrics([run for row in rows for run in row])
    for row in rows:
        facts = row[0].facts
        mine = tidy[(tidy.dataset == facts["dataset"]) & (tidy.method == facts["method"])]
        line: dict[str, Any] = {
            "method": facts["method"],
            "control": row[0].control,
            "seeds": len(row),
            "epochs": facts["epochs"],
        }
        for metric in metrics:
            part = mine[mine.metric == metric]
            line[metric] = part.value.mean()
            line[f"{metric}_sd"] = part.value.std() if part.value.notna().sum() > 1 else None
            if metric in PUBLISHED:
                line[f"{metric}_published"] = part.published.iloc[0]
        missing = mine[mine.missing.ne("") & mine.metric.isin(metrics)]
        reasons = dict.fromkeys(f"{m}: {why}" for m, why in zip(missing.metric, missing.missing,
                                                                strict=True))  # fmt: skip
        lines.append({**line, "missing": "; ".join(reasons)})
    return pd.DataFrame(lines)


def write_all(texts: Mapping[Path, str]) -> list[Path]:
    """Write each text to its file, each atomically; say so, and return the files."""
    for path, text in texts.items():
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        print(f"wrote {path}")
    return list(texts)


def write_tables(out: Path, folders: Sequence[Path]) -> list[Path]:
    """Write every table of the runs in `folders` into `out`; return the files.

    Raises:
        UserError: a run's files are missing or damaged, or runs can't stand in one table.
    """
    runs = [load_run(folder) for folder in folders]
    tidy = frame(runs)
    written = {out / "scores.csv": tidy.to_csv(index=False, lineterminator="\n")}
    for dataset, mine in by_dataset(runs).items():
        table = build(dataset, mine)
        written[out / f"{dataset}.md"] = markdown(table)
        written[out / f"{dataset}.tex"] = latex(table)
        others = build_others(dataset, mine)
        written[out / f"{dataset}-scores.md"] = markdown(others)
        written[out / f"{dataset}-scores.tex"] = latex(others)
        text = wide(tidy, in_rows(mine)).to_csv(index=False, lineterminator="\n")
        written[out / f"{dataset}.csv"] = text
    return write_all(written)
