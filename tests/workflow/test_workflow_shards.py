"""One part of a config's runs, through real Snakemake."""

from __future__ import annotations

import pytest
from workflow_runs import TINY, job_counts, snakemake

pytestmark = [pytest.mark.xdist_group("workflow"), pytest.mark.slow]


def test_a_shard_plans_its_runs_and_no_tables(tmp_path):
    given = {**TINY, "run": ["copy", "cut", "fastcut"]}
    counts = []
    for shard in ("1/2", "2/2"):
        code, output = snakemake(tmp_path, "--dry-run", "--config", f"shard={shard}", config=given)
        assert code == 0, output
        counts.append(job_counts(output))
        assert not {"tables", "site", "figure_grid"} & set(counts[-1])
    assert sorted(c["train"] for c in counts) == [1, 2]
    assert [sum(c.get(name, 0) for c in counts) for name in ("score", "score_best")] == [3, 2]
