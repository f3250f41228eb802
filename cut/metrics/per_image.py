"""Scores that are the mean of one value per image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cut.metrics.bootstrap import mean_spread
from cut.metrics.score_group import Scores


def mean_scores(values: Mapping[str, np.ndarray], protocol: dict[str, Any]) -> Scores:
    """Return the mean of each score's values (images,), and the means of resamples."""
    means = {name: float(each.mean()) for name, each in values.items()}
    spreads = {name: found for name, each in values.items() if (found := mean_spread(each))}
    resamples = {name: spread.about(means[name]) for name, spread in spreads.items()}
    return Scores(means, protocol=protocol, resamples=resamples)
