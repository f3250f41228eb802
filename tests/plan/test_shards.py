"""Parts of a plan for machines that share no disk."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from fake_runs import write_run

from cut.base.errors import UserError
from cut.plan.plan import make_plan
from cut.plan.shards import share
from cut.report.collect import collect

CONFIG = {
    "datasets": ["coats2stripes", "horse2zebra"],
    "run": ["copy", "cut", "fastcut", "wide", "real"],
    "methods": {"wide": {"method": "cut", "options": {"ngf": 80}}},
    "seeds": [0, 1, 2],
}


def parts(count, config=CONFIG):
    return [make_plan({**config, "shard": f"{k + 1}/{count}"}) for k in range(count)]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_each_run_is_in_exactly_one_shard(count):
    runs = [run for part in parts(count) for run in part.runs()]
    assert Counter(runs) == Counter(make_plan(CONFIG).runs())


def test_shards_have_the_same_number_of_runs_of_each_kind():
    shards = [Counter(Path(run).parent.name for run in part.runs()) for part in parts(3)]
    for kind in (("cut", "wide"), ("fastcut",), ("copy", "real")):
        sizes = [sum(shard[row] for row in kind) for shard in shards]
        assert max(sizes) - min(sizes) <= 1, kind


def test_shards_do_not_depend_on_the_order_of_a_config():
    turned = {**CONFIG, "datasets": CONFIG["datasets"][::-1], "run": CONFIG["run"][::-1]}
    for part, other in zip(parts(4), parts(4, turned), strict=True):
        assert set(part.runs()) == set(other.runs())
    runs = [(k % 3, f"run{k}") for k in range(20)]
    shuffled = random.Random(0).sample(runs, len(runs))
    assert share("2/3", runs) == share("2/3", shuffled)


def test_a_shard_needs_the_data_sets_of_its_runs_alone():
    config = {**CONFIG, "run": ["copy"]}
    for part in parts(2, config):
        (run,) = part.runs()
        assert part.config.datasets == list(part.entries) == [run.split("/")[1]]


@pytest.mark.parametrize("shard", ["0/2", "3/2", "2", "a/b", "1/0", "-1/2", 2, ["1/2"], "1/99"])
def test_a_wrong_shard_is_a_sentence(shard):
    with pytest.raises(UserError, match="shard"):
        make_plan({**CONFIG, "shard": shard})


def test_collecting_all_shards_gives_the_tables_of_all_runs(tmp_path):
    config = {**CONFIG, "datasets": ["coats2stripes"], "run": ["copy", "cut", "fastcut"]}
    places = {"all": make_plan(config).runs()}
    places |= {str(k): part.runs() for k, part in enumerate(parts(2, config))}
    for place, runs in places.items():
        for run in runs:
            _, dataset, row, seed = run.split("/")
            seed = int(seed.removeprefix("seed"))
            scores = {"fid": 50.0 + seed + len(row), "kid": None}
            missing = {"kid": "too few images"}
            folder = tmp_path / place / run
            write_run(
                folder, row, dataset=dataset, seed=seed, scores=scores, missing=missing, points=3
            )
    collect(tmp_path / "one", [tmp_path / "all"])
    collect(tmp_path / "two", [tmp_path / "0", tmp_path / "1"])
    tables = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert {"scores.csv", "coats2stripes.csv", "seeds.csv"} <= set(tables)
    for name in tables:
        assert (tmp_path / "one" / name).read_text() == (tmp_path / "two" / name).read_text(), name
