"""The tidy table: one value per row."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from cut.base.errors import UserError
from cut.metrics.catalogue import METRICS
from cut.results.protocol import check_comparable, protocol_digest
from cut.results.published import differences, published_entry, source_of
from cut.results.run import Run, load_run


def frame(folders: Iterable[Path | Run]) -> pd.DataFrame:
    """Return one value a row, in the order of the runs given.

    Columns: dataset, method, algorithm, control, seed, epoch, metric, value (in `unit`, unscaled),
    published, source, remark (what else is known of the published number), comparable ("yes", why
    not, or "" without a published number), missing (why there is no value), protocol (digest: rows
    with the same one may be compared).

    Raises:
        UserError: as `load_run` and `check_comparable`.
    """
    runs = [item if isinstance(item, Run) else load_run(item) for item in folders]
    if not runs:
        raise UserError("no runs were given; name at least one run's folder")
    check_comparable(runs)
    return pd.DataFrame([_row(run, metric) for run in runs for metric in METRICS])


def _row(run: Run, metric: str) -> dict[str, Any]:
    facts = run.facts
    value, missing = run.value(metric)
    entry = published_entry(facts["dataset"], facts["method"], metric)
    reasons = differences(run, entry) if entry else []
    return {
        "dataset": facts["dataset"],
        "method": facts["method"],
        "algorithm": facts["algorithm"],
        "control": run.control,
        "seed": facts["seed"],
        "epoch": facts["epochs"],
        "metric": metric,
        "value": value,
        "published": entry["value"] if entry else None,
        "source": source_of(entry) if entry else "",
        "remark": entry.get("remark", "") if entry else "",
        "comparable": "" if not entry else "; ".join(reasons) or "yes",
        "missing": missing,
        "protocol": protocol_digest(run),
    }
