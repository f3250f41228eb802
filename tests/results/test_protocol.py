"""Which runs may stand in one table."""

from __future__ import annotations

import pytest
from fake_runs import protocol, write_best, write_run

from cut.base.errors import UserError
from cut.records.scores import SAME_NETWORK
from cut.results.protocol import image_counts, load_comparable, protocol_digest
from cut.results.run import load_run


def scored(weights=None, **fake):
    """Return a protocol with changes on the side of the translations."""
    found = protocol(weights=weights) if weights else protocol()
    if weights:
        found["weights"] = found["fake"]["weights"] = weights
    found["fake"] |= fake
    return found


def digests(folders):
    return {protocol_digest(run) for run in load_comparable(folders)}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"weights": {"source": "file", "tensors_sha256": "cd" * 32}}, "real.weights"),
        ({"images": 5}, "real.images"),
        ({"size": [64, 64]}, "real.size"),
        ({"extractor": "other"}, "real.extractor"),
    ],
)
def test_protocols_are_not_mixed(tmp_path, change, name):
    runs = [
        write_run(tmp_path / "a", "cut"),
        write_run(tmp_path / "b", "fastcut", scored_by=protocol(**change)),
    ]
    with pytest.raises(UserError, match=f"differ in {name}"):
        load_comparable(runs)


def test_images_brought_to_a_size_in_two_ways_are_not_mixed(tmp_path):
    old = write_run(tmp_path / "a", "cut")
    cropped = write_run(tmp_path / "b", "fastcut", fit="crop")
    with pytest.raises(UserError, match="differ in image fit"):
        load_comparable([old, cropped])
    # A record that names the default has the digest of one from before there was a choice.
    sides = protocol()
    for side in ("real", "fake"):
        sides[side]["fit"] = "stretch"
    new = write_run(tmp_path / "c", "monce", scored_by=sides)
    assert len(digests([old, new])) == 1 and digests([old]) != digests([cropped])


def test_images_shown_to_the_network_in_two_ways_are_not_mixed(tmp_path):
    runs = []
    for name, mapping in (("cut", "channels 1, 1, 1"), ("fastcut", "channels 2, 2, 2")):
        sides = protocol()
        for side in ("real", "fake"):
            sides[side]["mapping"] = mapping
        runs.append(write_run(tmp_path / name, name, scored_by=sides))
    with pytest.raises(UserError, match="differ in fake.mapping"):
        load_comparable(runs)


def test_what_changes_no_score_may_differ(tmp_path):
    other = scored({"source": "elsewhere", "tensors_sha256": "ab" * 32})
    other["kid"]["subsets"] = 7
    runs = [write_run(tmp_path / "a"), write_run(tmp_path / "b", "real", scored_by=other)]
    assert len(digests(runs)) == 1


def test_only_the_ceiling_may_have_fewer_images(tmp_path):
    fewer = scored(images=3)
    run = write_run(tmp_path / "a")
    assert len(digests([run, write_run(tmp_path / "b", "real", scored_by=fewer)])) == 2
    with pytest.raises(UserError, match=r"fake.images \(4, 3\)"):
        load_comparable([run, write_run(tmp_path / "c", "fastcut", scored_by=fewer)])


def test_both_ports_of_the_network_are_one(tmp_path):
    runs = []
    for name, source, digest in zip(("cut", "fastcut"), SAME_NETWORK, ("ab", "cd"), strict=True):
        scored_by = scored({"source": source, "tensors_sha256": digest * 32})
        runs.append(write_run(tmp_path / name, name, scored_by=scored_by))
    assert len(digests(runs)) == 1


def test_best_epochs_chosen_by_other_images_are_not_mixed(tmp_path):
    runs = [
        write_best(write_run(tmp_path / on, seed=seed), {2: 40.0, 3: 50.0}, on)
        for seed, on in enumerate(("test", "held_out"))
    ]
    with pytest.raises(UserError, match="chosen_on"):
        load_comparable(runs)


@pytest.mark.parametrize(
    "change",
    [
        {"training": {"flip": False}},
        {"training": {"precision": "bfloat16"}},
        {"code_digest": "e" * 64},
        {"options": {"ngf": 8}},
    ],
)
def test_seeds_of_one_row_share_all_that_decides_the_weights(tmp_path, change):
    runs = [write_run(tmp_path / "a"), write_run(tmp_path / "b", seed=1, **change)]
    with pytest.raises(UserError, match=f"differ in {next(iter(change))}"):
        load_comparable(runs)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"dataset_digest": "e" * 64}, "data digest"),
        ({"size": [64, 64]}, "image size"),
        ({}, "cut with seed 0"),
    ],
)
def test_runs_that_do_not_belong_together_are_refused(tmp_path, change, name):
    runs = [write_run(tmp_path / "a"), write_run(tmp_path / "b", **change)]
    with pytest.raises(UserError, match=name):
        load_comparable(runs)


def test_no_runs_are_refused():
    with pytest.raises(UserError, match="no runs"):
        load_comparable([])


def test_image_counts_are_those_scored(tmp_path):
    assert image_counts(load_run(write_run(tmp_path / "run"))) == (4, 6)
