"""The short form of `python -m tests.chaos --faults`."""

from __future__ import annotations

import pytest
from chaos import faults
from chaos.failing_machine import full_and_read_only
from chaos.small_benchmark import HALF, RUN, Ended

pytestmark = pytest.mark.slow
SHORT = (f"{HALF}/state/*.pt", f"{RUN}/generator.pt", f"{RUN}/scores.json")


def test_no_fault_changes_a_number_in_silence_or_gives_a_traceback(tmp_path):
    bench = faults.Campaign(tmp_path, seed=1)
    found = [
        bench.damage(pattern, how, faults.READERS[pattern][0])
        for pattern in SHORT
        for how in faults.DAMAGES
    ]
    found += [bench.together("continue"), *full_and_read_only(bench, "tables")]
    bad = [o.line for o in found if o.end in ("silent", "lost", "traceback")]
    assert not bad, "\n".join(bad)
    ends = [outcome.end for outcome in found]
    # The state before and the copies of a generator are taken; scores have no copy.
    assert ends[:10] == ["mended"] * 10 and ends[10:15] == ["refused"] * 5
    # The campaign can fail: another result and a traceback are told from these.
    copy = bench.copy()
    (copy / "results" / "tables" / "scores.csv").write_text("a,b\n1,2\n")
    assert bench.judge("none", "tables", copy, Ended(0, "")).end == "silent"
    trace = Ended(1, "Traceback (most recent call last)\nKeyError: 1")
    assert bench.judge("none", "tables", copy, trace).end == "traceback"
