"""Captions: what they mention, and what they leave out."""

from __future__ import annotations

import pytest
from fake_runs import protocol, write_best, write_run

from cut.report.captions import caption, conjunction, machines, shared_first, sources
from cut.report.wording import VARIANCE, one_training
from cut.results.published import published_number, source_of
from cut.results.rows import rows_of, runs_of
from cut.results.run import load_run


def rows(*folders):
    return rows_of(map(load_run, folders))


def test_a_caption_gives_size_seeds_counts_extractor_and_machine(tmp_path):
    folders = [write_run(tmp_path / str(seed), seed=seed) for seed in (1, 0)]
    text = " ".join(caption(rows(*folders)))
    for words in ("48x48", "0 and 1", "4 test", "6 real", "pytorch-fid Inception", "abababababab"):
        assert words in text, words
    assert "Example CPU & Co, 1 thread" in text and "±" in text


def test_a_caption_mentions_only_what_is_shown(tmp_path):
    run = write_run(tmp_path / "cut", scores={"fid_low": 60.0, "fid_high": 63.0, "ssim": None})
    mine = rows(write_best(run, {2: 50.0, 3: 61.25}))
    every, few = (" ".join(caption(mine, shown)) for shown in (None, ["precision"]))
    for word in ("KID", "Interval", "L1", "Best epoch", "Example CPU"):
        assert word in every and word not in few, word
    assert "SSIM" not in every, "no run has it"
    assert "±" not in " ".join(caption(mine, spread=False))


@pytest.mark.parametrize(("on", "word"), [("test", "test images"), ("held_out", "held out")])
def test_a_caption_says_how_the_best_epoch_was_chosen(tmp_path, on, word):
    run = write_best(write_run(tmp_path / "cut"), {2: 50.0, 3: 61.25}, on)
    (sentence,) = (s for s in caption(rows(run), ["fid_best"]) if s.startswith("Best"))
    assert word in sentence and "2 epochs" in sentence


def test_a_caption_names_the_controls_by_their_roles(tmp_path):
    mine = rows(*(write_run(tmp_path / name, name) for name in ("copy", "cut", "real")))
    (sentence,) = (s for s in caption(mine) if s.startswith("Controls"))
    assert "copy is the floor" in sentence and "real is the ceiling" in sentence


def test_different_counts_of_translations_are_all_given(tmp_path):
    fewer = protocol()
    fewer["fake"]["images"] = 3
    mine = rows(write_run(tmp_path / "a"), write_run(tmp_path / "b", "real", scored_by=fewer))
    assert caption(mine)[1].startswith("3 and 4 ")


def test_a_caption_says_which_rows_are_of_one_training(tmp_path):
    copy, cut, two, three = (
        write_run(tmp_path / str(i), name, seed=seed)
        for i, (name, seed) in enumerate([("copy", 0), ("cut", 0), ("b", 0), ("b", 1)])
    )
    (every,) = one_training(rows(copy, cut, two))
    (some,) = one_training(rows(copy, cut, two, three))
    assert every in caption(rows(copy, cut, two)) and VARIANCE in every and "cut" not in every
    assert some in caption(rows(copy, cut, two, three)) and "cut" in some and VARIANCE in some
    assert one_training(rows(copy, two, three)) == one_training(rows(copy)) == []


def test_machines_are_those_of_trained_runs(tmp_path):
    gpu = {"cpu": "x", "threads": 4, "gpu": "H100"}
    mine = rows(
        write_run(tmp_path / "copy", "copy"),
        write_run(tmp_path / "a", "a", algorithm="cut", hardware=gpu, peak_memory_kind="cuda"),
        write_run(tmp_path / "b", "b", algorithm="cut", hardware={"cpu": "", "threads": 2}),
    )
    first, second = machines(runs_of(mine))
    assert first.startswith("H100 (") and second.startswith("a CPU, 2 threads (")


def published_rows(root, *names):
    folders = [write_run(root / name, name, dataset="horse2zebra") for name in names]
    return [(row, published_number("horse2zebra", row.name, "fid")) for row in rows(*folders)]


def test_published_numbers_of_one_source_are_named_once(tmp_path):
    first, scored, *remarks = sources(published_rows(tmp_path, "cut", "gcgan"))
    (source,) = {source_of(published_number("horse2zebra", "cut", "fid"))}
    assert source.name in first and "gcgan" not in first
    assert "epoch not stated" in scored and source.scorer in scored
    assert len(remarks) == 2, "of both rows one, of gcgan another"


def test_of_several_sources_each_has_its_rows_and_its_epoch(tmp_path):
    numbers = published_rows(tmp_path, "cut", "unsb")
    first, *scored = sources(numbers)[:3]
    assert first.count(" (cut)") == first.count(" (unsb)") == 1
    assert "best epoch" in scored[1] and scored[1].endswith("(unsb).")
    assert not [s for s in sources(numbers, scored=False) if s in scored]


def test_shared_sentences_come_first():
    parts = {"a": ["Same.", "One."], "b": ["Two.", "Same."]}
    assert shared_first(parts) == ["Same.", "a: One.", "b: Two."]


def test_conjunctions():
    assert conjunction(["a"]) == "a" and conjunction([1, 2]) == "1 and 2"
    assert conjunction("abc") == "a, b and c"
