"""The tidy table of all scores: one value per row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cut.metrics.catalogue import METRICS
from cut.report.wording import how_scored, remarks_on, why
from cut.results.comparison import differences
from cut.results.protocol import protocol_digest
from cut.results.published import published_number, source_of
from cut.results.run import Run


def scores_frame(runs: Sequence[Run]) -> pd.DataFrame:
    """Return one value per row, in the order of the runs given.

    Columns: dataset, method, algorithm, control, seed, epoch, metric, value (in the metric's unit,
    unscaled), published, source, scored (epoch, scorer and images of the published number), remark
    (on it, and other published numbers), comparable ("yes", the reasons against it, or "" without a
    published number), missing (the reason for a missing value), protocol (a digest: rows with the
    same one may be compared).
    """
    return pd.DataFrame([_line(run, metric) for run in runs for metric in METRICS])


def _line(run: Run, metric: str) -> dict[str, Any]:
    record = run.record
    value, missing = run.value(metric)
    number = published_number(record.dataset, record.method, metric)
    return {
        "dataset": record.dataset,
        "method": record.method,
        "algorithm": record.algorithm,
        "control": run.control,
        "seed": record.seed,
        "epoch": record.epochs,
        "metric": metric,
        "value": value,
        "published": number.value if number else None,
        "source": source_of(number).name if number else "",
        "scored": how_scored(number) if number else "",
        "remark": "; ".join(remarks_on(number, record.dataset)) if number else "",
        "comparable": "; ".join(why(differences(run, number))) or "yes" if number else "",
        "missing": missing,
        "protocol": protocol_digest(run),
    }
