"""The table over all data sets of a benchmark, as papers print it: Table 1, or an ablation.

    python -m cut report overview --out DIR [--ablation] RUN_DIR...

Writes `DIR/overview.{md,tex,csv}`. A row is a method; each data set is a group of columns with the
measured scores and the published ones beside them; time and memory stand last. Where that is too
wide for a page it becomes several tables, by data set. Below it the second table holds measured
against published: difference, verdict, and why. The CSV has one value a line (`tidy`).
With `--ablation` the files are called `ablation` and the options that tell CUT's variants apart
stand in columns, as in Fig. 4 of the paper. The same runs give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cut.base.errors import UserError
from cut.metrics.catalogue import COSTS
from cut.report.captions import caption, machines, shared_first
from cut.report.dataset_tables import ARROWS, in_rows, measured, name_of, write_all
from cut.report.published_tables import against, tidy
from cut.report.table import Cell, Table, fitting, latex, markdown
from cut.results.ablation import variant_columns
from cut.results.protocol import check_comparable
from cut.results.published import published_entry
from cut.results.run import METRICS, PAIRED, Run, by_dataset, load_run, present

# The scores of label maps that the paper gives for Cityscapes.
SEGMENTATION = ("miou", "pixel_accuracy", "class_accuracy")
LABELS = {"fid_best": "best FID", "miou": "mIoU", "pixel_accuracy": "pixAcc",
          "class_accuracy": "classAcc", "peak_memory_gb": "GB"}  # fmt: skip
SCORES = ("fid", "fid_best", *SEGMENTATION, *PAIRED)


@dataclass(frozen=True)
class Block:
    """Columns that stay in one table: a data set's metrics of one kind, or "" and the costs."""

    dataset: str
    metrics: tuple[str, ...]


def blocks(runs: Sequence[Run]) -> list[list[Block]]:
    """Return each data set's blocks of metrics that some run has; the costs go with the last's."""
    found = []
    for dataset, mine in by_dataset(runs).items():
        kinds = (("fid", *present(mine, ["fid_best"])), present(mine, SEGMENTATION),
                 present(mine, PAIRED))  # fmt: skip
        found.append([Block(dataset, tuple(kind)) for kind in kinds if kind])
    if costs := present(runs, COSTS):
        found[-1].append(Block("", tuple(costs)))
    return found


def packed(
    groups: Sequence[Sequence[Block]], fits: Callable[[Sequence[Block]], bool]
) -> list[list[Block]]:
    """Return the blocks of the fewest tables that fit, from the end: the costs with a data set.

    A data set is divided only where it does not fit into a table of its own.
    """
    parts: list[list[Block]] = [[]]

    def put(several: Sequence[Block]) -> None:
        if parts[0] and not fits([*several, *parts[0]]):
            parts.insert(0, [])
        parts[0][:0] = several

    for group in reversed(groups):
        for several in [group] if fits(group) else [[block] for block in reversed(group)]:
            put(several)
    return parts


def build(runs: Sequence[Run], ablation: bool) -> list[Table]:
    """Return the table over all data sets of `runs`, or its parts where it is too wide."""
    title = "Ablation" if ablation else "Overview"
    if ablation and not variant_columns(in_rows(runs))[1]:
        raise UserError("none of these runs is a variant of CUT; an ablation's table needs one")

    def fits(part: Sequence[Block]) -> bool:
        return fitting(_table(title, runs, part, ablation)) is not None

    parts = packed(blocks(runs), fits)
    names = [f"{title}, {i + 1} of {len(parts)}" if len(parts) > 1 else title
             for i in range(len(parts))]  # fmt: skip
    return [_table(name, runs, part, ablation) for name, part in zip(names, parts, strict=True)]


def _table(title: str, runs: Sequence[Run], part: Sequence[Block], ablation: bool) -> Table:
    """Return a table with the columns of some blocks, every row in it."""
    rows = in_rows(runs)
    names, variants = variant_columns(rows) if ablation else ([], {})
    table = Table(title, ["row" if ablation else "method", *names])
    table.groups = [""] * len(table.header)
    table.align = "l" + "c" * len(names)
    for row in rows:
        options = variants.get(row[0].facts["method"], ["–"] * len(names))
        table.rows.append([Cell(name_of(row)), *map(Cell, options)])
    for block in part:
        # One machine may train several sets at once: of the costs the first set's are shown.
        mine = [[run for run in row if run.facts["dataset"] == (block.dataset or
                 row[0].facts["dataset"])] for row in rows]  # fmt: skip
        for metric in block.metrics:
            _add(table, block.dataset, mine, metric)
    table.caption = _caption(table, runs, part)
    return table


def _add(table: Table, dataset: str, rows: Sequence[Sequence[Run]], metric: str) -> None:
    """Append a metric's column, and the published numbers' where a row has one."""
    shown = METRICS[metric]
    added = [LABELS.get(metric, shown.label) + ARROWS[shown.better]]
    for cells, row in zip(table.rows, rows, strict=True):
        cells.append(measured(table, row, metric, epoch=False) if row else
                     Cell("–", table.mark("not run on this data set")))  # fmt: skip
    entries = [row and published_entry(dataset, row[0].facts["method"], metric) for row in rows]
    if any(entries):
        added.append("publ.")
        for cells, entry in zip(table.rows, entries, strict=True):
            cells.append(Cell(shown.show(entry["value"]) if entry else "–"))
    table.header += added
    table.groups += [dataset] * len(added)
    table.align += "r" * len(added)


def _caption(table: Table, runs: Sequence[Run], part: Sequence[Block]) -> list[str]:
    """Return what the table is, in a sentence, then what its numbers stand on."""
    scores = {metric for block in part if block.dataset for metric in block.metrics}
    what = ["scores"] * bool(scores) + ["time and peak memory"] * any(b.dataset == "" for b in part)
    sentence = f"Measured {' and '.join(what)}"
    sentence += ", published scores beside them (publ.)." if "publ." in table.header else "."
    own = {}
    for dataset, mine in by_dataset(runs).items():
        metrics = {m for block in part if block.dataset == dataset for m in block.metrics}
        if metrics:
            own[dataset] = caption(dataset, mine, {}, metrics)
    notes = shared_first(own) if own else []
    percent = [LABELS[metric] for metric in SEGMENTATION if metric in scores]
    notes += [f"{', '.join(percent)} in percent."] if percent else []
    notes += _cost(runs) if len(what) > bool(scores) else []
    return [sentence, *notes]


def _cost(runs: Sequence[Run]) -> list[str]:
    sets = "; of the first data set" if len(by_dataset(runs)) > 1 else ""
    return [f"Time and peak memory on {' and '.join(machines(runs))}{sets}."]


def write_overview(out: Path, folders: Sequence[Path], ablation: bool) -> list[Path]:
    """Write the table of the runs in `folders` into `out`; return the files.

    Raises:
        UserError: a run's files are missing or damaged, or runs can't stand in one table.
    """
    runs = [load_run(folder) for folder in folders]
    check_comparable(runs)
    tables = build(runs, ablation)
    tables += against("Ablation" if ablation else "Overview", runs, SCORES)
    stem = out / ("ablation" if ablation else "overview")
    texts = {
        ".md": "\n".join(map(markdown, tables)),
        ".tex": "\n".join(map(latex, tables)),
        ".csv": tidy(runs, ablation).to_csv(index=False, lineterminator="\n"),
    }
    return write_all({stem.with_suffix(end): text for end, text in texts.items()})
