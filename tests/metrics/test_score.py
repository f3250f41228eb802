"""The scoring command against the real pytorch-fid command, and what it records."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from command import run_command
from PIL import Image
from standin import write_images, write_manifest, write_weights

from cut.base.errors import UserError
from cut.metrics import feature_scores, image_pairs, input_distance, memorised, score
from cut.metrics.catalogue import METRICS, SCORES
from cut.metrics.image_folder import ImageFolder
from cut.metrics.inception import features
from cut.metrics.inception.extract import Extractor
from cut.metrics.inception.weights import OFFICIAL, WeightsUnavailable, find_inception
from cut.metrics.score import Partners, read_manifest
from cut.metrics.segmentation import segmenter
from cut.records.inception import InceptionRecord
from cut.records.scores import ScoresRecord

NONE = Partners()
NO_WEIGHTS = Extractor(WeightsUnavailable("none"))


@pytest.fixture(scope="module")
def standin(tmp_path_factory) -> Path:
    """Return a random network's weights, where pytorch-fid's command would look for its own."""
    return write_weights(tmp_path_factory.mktemp("torch") / "hub" / "checkpoints" / OFFICIAL)


@pytest.fixture
def folders(tmp_path) -> tuple[Path, Path]:
    """Return (real, translated) folders of 6 and 5 images, unlike in colour."""
    real = write_images(tmp_path / "real", 6, seed=1)
    return real, write_images(tmp_path / "fake", 5, seed=2, tint=0.8)


def run(*argv: object, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a module as a user would."""
    command = [sys.executable, "-m", *map(str, argv)]
    return subprocess.run(command, env=os.environ | env, capture_output=True, text=True)


def both_fids(real: Path, fake: Path, weights: Path, folder: Path) -> tuple[float, float]:
    """Return (ours, pytorch-fid's) from the two command lines with one weights file."""
    theirs_home = folder / "torch"
    place = theirs_home / "hub" / "checkpoints" / OFFICIAL
    place.parent.mkdir(parents=True)
    place.symlink_to(weights)
    theirs = run(
        "pytorch_fid",
        real,
        fake,
        "--device",
        "cpu",
        "--num-workers",
        0,
        TORCH_HOME=str(theirs_home),
    )
    assert theirs.returncode == 0, theirs.stderr
    out = folder / "scores.json"
    ours = run(
        "cut", "score", real, fake, "--fid-weights", weights, "--json", out, "--device", "cpu"
    )
    assert ours.returncode == 0, ours.stderr
    value = json.loads(out.read_text())["scores"]["fid"]
    assert f"{value:.6g}" in ours.stdout
    return value, float(theirs.stdout.split("FID:")[1])


def test_prints_what_pytorch_fid_prints_with_any_weights(folders, standin, tmp_path):
    ours, theirs = both_fids(*folders, standin, tmp_path)
    assert theirs > 1  # else nothing is compared
    assert ours == pytest.approx(theirs, rel=1e-4)


def test_prints_what_pytorch_fid_prints_of_real_photographs(shared_data, tmp_path):
    try:
        weights = find_inception()
    except WeightsUnavailable as error:
        pytest.skip(str(error))
    with zipfile.ZipFile(shared_data / "horse2zebra.zip") as archive:
        for domain, n in (("testA", 24), ("testB", 28)):
            (tmp_path / domain).mkdir()
            inside = f"horse2zebra/{domain}/"
            names = sorted(m for m in archive.namelist() if m.startswith(inside) and m != inside)
            for name in names[:n]:
                (tmp_path / domain / Path(name).name).write_bytes(archive.read(name))
    ours, theirs = both_fids(tmp_path / "testB", tmp_path / "testA", weights.path, tmp_path)
    assert theirs > 200  # horses are no zebras
    assert ours == pytest.approx(theirs, rel=1e-4)


def test_records_every_score_with_its_protocol(folders, standin, tmp_path):
    real, fake = folders
    truth, out = shutil.copytree(fake, tmp_path / "truth"), tmp_path / "out" / "scores.json"
    argv = [real, fake, "--truth", truth, "--fid-weights", standin, "--json", out]
    assert run_command("score", [*map(str, argv), "--device", "cpu"]) == 0
    result = json.loads(out.read_text())
    assert tuple(result["scores"]) == SCORES
    # Five images have no fifth neighbour.
    few = {"precision", "recall", "density", "coverage", "fid_infinity", "sfid"}
    not_given = {*input_distance.NAMES, *segmenter.NAMES, *memorised.NAMES, *image_pairs.NAMES}
    assert set(result["missing"]) == {*few, *not_given}
    assert "at least 4096 images" in result["missing"]["fid_infinity"]
    assert "--source" in result["missing"]["perceptual"]
    assert "no label maps" in result["missing"]["miou"]
    assert "more than 5 images" in result["missing"]["recall"] and result["translated"] is None
    low, high = result["scores"]["fid_low"], result["scores"]["fid_high"]
    assert low < result["scores"]["fid"] < high
    assert result["scores"]["kid_low"] < result["scores"]["kid"] < result["scores"]["kid_high"]
    assert result["scores"]["fid"] > 1 and "fid" not in result
    assert result["scores"]["kid"] > 0
    assert (result["scores"]["l1"], result["scores"]["ssim"]) == (0, pytest.approx(1))
    protocol = result["protocol"]
    assert (protocol["real"]["images"], protocol["fake"]["images"]) == (6, 5)
    assert protocol["fake"]["size"] == [32, 32]
    assert len(protocol["weights"]["tensors_sha256"]) == 64
    assert protocol["kid"]["subset_size"] == [3, 2]
    assert [p.name for p in out.parent.iterdir()] == ["scores.json"]


def test_kept_features_score_as_their_folder_does(folders, standin, tmp_path):
    real, fake = folders
    weights = find_inception(standin)
    kept = tmp_path / "reference.npz"
    extractor = Extractor(weights)
    features.save(extractor.features(ImageFolder(real)), kept)
    assert score.score(kept, fake, NONE, extractor) == score.score(real, fake, NONE, extractor)
    other = find_inception(write_weights(tmp_path / "other.pth", seed=9))
    with pytest.raises(UserError, match="compute it again with these"):
        score.score(kept, fake, NONE, Extractor(other))


def test_without_weights_only_those_scores_are_missing(folders, tmp_path, capsys):
    real, fake = folders
    truth, out = shutil.copytree(fake, tmp_path / "truth"), tmp_path / "scores.json"
    record = tmp_path / "inception.json"
    InceptionRecord(reason="no source answers").write(record)
    kept = tmp_path / "kept.npz"
    argv = [real, fake, "--truth", truth, "--source", truth, "--weights-json", record]
    argv += ["--json", out, "--features", kept]
    assert run_command("score", [*map(str, argv)]) == 0
    result = json.loads(out.read_text())
    assert result["scores"]["fid"] is None and result["scores"]["l1"] == 0
    need = (*feature_scores.NAMES, *input_distance.NAMES)
    others = {*segmenter.NAMES, *memorised.NAMES, *image_pairs.NAMES}
    assert set(result["missing"]) == {*need, *others}
    assert {result["missing"][name] for name in need} == {"no source answers"}
    assert "no source answers" not in {result["missing"][name] for name in others}
    assert f"missing {', '.join(need)}: no source answers" in capsys.readouterr().out
    assert features.load(kept).reason == "no source answers"


def test_features_kept_without_weights_do_not_hide_weights_that_are_there(
    folders, standin, tmp_path
):
    real, fake = folders
    kept = tmp_path / "reference.npz"
    features.save(Extractor(WeightsUnavailable("offline")).features(ImageFolder(real)), kept)
    with pytest.raises(UserError, match=r"no features \(offline\)"):
        score.score(kept, fake, NONE, Extractor(find_inception(standin)))


def test_one_image_has_no_distance_but_has_content(folders, standin, tmp_path):
    real, _ = folders
    one = write_images(tmp_path / "one", 1)
    result = score.score(real, one, Partners(truth=one), Extractor(find_inception(standin)))
    others = {*segmenter.NAMES, *memorised.NAMES, *image_pairs.NAMES}
    given = {*feature_scores.NAMES, *input_distance.NAMES, *others}
    assert set(result.missing) == given
    assert "two images" in result.missing["fid"]
    assert result.scores["ssim"] == pytest.approx(1)


def test_the_manifest_is_verified_and_its_head_copied(folders):
    real, fake = folders
    head = write_manifest(fake)
    result = score.score(real, fake, NONE, NO_WEIGHTS)
    assert result.translated == head
    changed = fake / "01.png"
    changed.write_bytes((fake / "02.png").read_bytes())
    with pytest.raises(UserError, match="01.png is not the image"):
        read_manifest(ImageFolder(fake))
    changed.unlink()
    with pytest.raises(UserError, match="01.png is missing"):
        read_manifest(ImageFolder(fake))
    write_manifest(fake)
    (fake / "zz.png").write_bytes((fake / "02.png").read_bytes())
    with pytest.raises(UserError, match="zz.png is not in the manifest"):
        read_manifest(ImageFolder(fake))


def test_the_control_of_real_images_has_no_counterparts_even_if_names_agree(folders):
    real, fake = folders
    write_manifest(fake, "ceiling")
    result = score.score(real, fake, Partners(truth=real), NO_WEIGHTS)
    assert result.scores["l1"] is None
    assert "no counterparts" in result.missing["l1"]


def test_an_unchanged_image_is_at_no_distance_from_its_input(folders, standin, tmp_path):
    """And one pass over the translations gives the features and the distances."""
    real, fake = folders
    test, kept = tmp_path / "test", tmp_path / "kept.npz"
    same = shutil.copytree(fake, test / "source")
    out = tmp_path / "scores.json"
    argv = [real, fake, "--test", test, "--fid-weights", standin, "--json", out]
    assert run_command("score", [*map(str, argv), "--features", str(kept), "--device", "cpu"]) == 0
    result = json.loads(out.read_text())
    assert [result["scores"][name] for name in input_distance.NAMES] == [0, 0]
    assert result["protocol"]["fake"]["images_paired"] == "5 by name"
    alone = Extractor(find_inception(standin)).features(ImageFolder(fake))
    assert np.array_equal(features.load(kept).values, alone.values)
    Image.open(same / "01.png").rotate(180).save(same / "01.png")
    assert run_command("score", [*map(str, argv), "--device", "cpu"]) == 0
    other = json.loads(out.read_text())
    assert all(other["scores"][name] > 0.001 for name in input_distance.NAMES)
    theirs, ours = (r["protocol"]["source"]["images_sha256"] for r in (other, result))
    assert theirs != ours
    (same / "01.png").rename(same / "other.png")
    with pytest.raises(UserError, match=r"01.png has no counterpart 01.* \(1 such translation\)"):
        run_command("score", [*map(str, argv), "--device", "cpu"])


def test_real_images_are_held_against_inputs_by_order(folders, standin, tmp_path):
    real, fake = folders
    head = write_manifest(fake, "ceiling")
    inputs = write_images(tmp_path / "inputs", 3, seed=5)
    for path in inputs.iterdir():
        path.rename(path.with_name(f"input{path.name}"))
    kept = tmp_path / "kept.npz"
    extractor = Extractor(find_inception(standin))
    result = score.score(real, fake, Partners(source=inputs), extractor, keep=kept)
    assert all(result.scores[name] > 0.001 for name in input_distance.NAMES)
    assert result.protocol.fake.images_paired == "3 by order"
    assert features.load(kept).translated == head
    # The pairs are the first, second and third of each side, whatever they are called.
    for i in (3, 4):
        (fake / f"0{i}.png").unlink()
    for path, to in zip(sorted(fake.glob("*.png")), sorted(inputs.iterdir()), strict=True):
        path.rename(fake / to.name)
    (fake / "manifest.json").unlink()
    named = score.score(real, fake, Partners(source=inputs), extractor)
    for name in input_distance.NAMES:
        assert named.scores[name] == pytest.approx(result.scores[name], rel=1e-4)


def test_inputs_of_two_sizes_are_refused(folders, tmp_path):
    inputs = shutil.copytree(folders[1], tmp_path / "inputs")
    Image.new("RGB", (8, 9)).save(inputs / "01.png")
    with pytest.raises(UserError, match="01.png is 8x9 but 00.png is 32x32"):
        score.score(*folders, Partners(source=inputs), NO_WEIGHTS)


def test_the_table_says_which_way_is_better(folders, standin, capsys):
    assert (
        run_command("score", [*map(str, folders), "--fid-weights", str(standin), "--device", "cpu"])
        == 0
    )
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert lines["kid"].endswith("lower is better") and lines["kid_low"].split()[2:] == []
    assert set(SCORES) <= set(METRICS) and all(name in lines for name in SCORES)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"--segmenter": "none.pth"}, "there is no file none.pth; expected the weights of a DRN"),
        ({"--source": "nowhere"}, "there is no folder nowhere"),
        ({"--fid-weights": "none.pth"}, "there is no file none.pth; expected Inception weights"),
        ({"fake": "nowhere"}, "there is no folder nowhere"),
        ({"real": "nowhere"}, "nowhere is neither a folder"),
        ({"--truth": "nowhere"}, "there is no folder nowhere"),
        ({"--batch-size": "0"}, "1 or more"),
    ],
)
def test_mistakes_are_one_sentence(folders, tmp_path, change, words):
    record = tmp_path / "inception.json"
    InceptionRecord(reason="none").write(record)
    given = {"real": str(folders[0]), "fake": str(folders[1]), **change}
    argv = [given.pop("real"), given.pop("fake")]
    argv += [text for pair in given.items() for text in pair]
    if "--fid-weights" not in given:
        argv += ["--weights-json", str(record)]
    with pytest.raises(UserError, match=words):
        run_command("score", argv)


def test_a_damaged_weights_file_ends_the_command_with_a_sentence(folders, tmp_path):
    bad = tmp_path / "bad.pth"
    bad.write_bytes(np.random.default_rng(0).bytes(1000))
    done = run("cut", "score", *folders, "--fid-weights", bad)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {bad} can't be read as weights")
    assert "Traceback" not in done.stderr


def test_the_scores_follow_their_model(folders, standin, tmp_path):
    out = tmp_path / "scores.json"
    argv = [*folders, "--fid-weights", standin, "--json", out, "--device", "cpu"]
    assert run_command("score", argv) == 0
    record = ScoresRecord.read(out)
    assert record.version == 1 and record.scores["fid"] > 1
    assert record.protocol.real.network == "fast" and record.protocol.fast_network is None


def test_the_network_of_pytorch_fid_agrees_with_the_fast_one(folders, standin, tmp_path, capsys):
    fast = score.score(*folders, NONE, Extractor(find_inception(standin)))
    out = tmp_path / "scores.json"
    argv = [*folders, "--fid-weights", standin, "--json", out, "--network", "pytorch-fid"]
    assert run_command("score", [*argv, "--device", "cpu"]) == 0
    slow = ScoresRecord.read(out)
    assert slow.protocol.real.network == slow.protocol.fake.network == "pytorch-fid"
    apart = slow.protocol.fast_network
    assert 0 < apart.features < 1e-4 and 0 <= apart.fid < 1e-4
    expected = abs(fast.scores["fid"] - slow.scores["fid"]) / slow.scores["fid"]
    assert apart.fid == pytest.approx(expected, rel=1e-3, abs=1e-9)
    assert f"{apart.features:.1e}" in capsys.readouterr().out


def test_features_by_one_network_are_refused_for_the_other(folders, standin, tmp_path):
    real, fake = folders
    weights, kept = find_inception(standin), tmp_path / "kept.npz"
    features.save(Extractor(weights).features(ImageFolder(real)), kept)
    with pytest.raises(UserError, match="--network pytorch-fid"):
        score.score(kept, fake, NONE, Extractor(weights, network="pytorch-fid"))
    slow = Extractor(weights, network="pytorch-fid")
    features.save(slow.features(ImageFolder(real)), kept)
    record = score.score(kept, fake, NONE, slow)
    assert record.protocol.fast_network.fid is None
    assert record.protocol.fast_network.features > 0
