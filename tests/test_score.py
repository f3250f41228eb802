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
from standin import write_images, write_weights

from cut import score
from cut.errors import UserError
from cut.images import sha256_file
from cut.metrics.weights import OFFICIAL, WeightsUnavailable, find_inception


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
        "pytorch_fid", real, fake, "--device", "cpu", "--num-workers", 0,
        TORCH_HOME=str(theirs_home),
    )  # fmt: skip
    assert theirs.returncode == 0, theirs.stderr
    out = folder / "scores.json"
    ours = run("cut.score", real, fake, "--fid-weights", weights, "--json", out, "--device", "cpu")
    assert ours.returncode == 0, ours.stderr
    value = json.loads(out.read_text())["fid"]
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
    assert score.main([*map(str, argv), "--device", "cpu"]) == 0
    result = json.loads(out.read_text())
    assert tuple(result["scores"]) == score.SCORES
    # Five images have no fifth neighbour.
    assert set(result["missing"]) == {"precision", "recall", "density", "coverage"}
    assert "more than 5 images" in result["missing"]["recall"] and result["translated"] == {}
    low, high = result["scores"]["fid_low"], result["scores"]["fid_high"]
    assert low < result["fid"] < high
    assert result["fid"] == result["scores"]["fid"] > 1
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
    score.features.save(score.features.extract(real, weights), kept)
    assert score.score(kept, fake, None, weights) == score.score(real, fake, None, weights)
    other = find_inception(write_weights(tmp_path / "other.pth", seed=9))
    with pytest.raises(UserError, match="compute it again with these"):
        score.score(kept, fake, None, other)


def test_without_weights_only_those_scores_are_missing(folders, tmp_path, capsys):
    real, fake = folders
    truth, out = shutil.copytree(fake, tmp_path / "truth"), tmp_path / "scores.json"
    record = tmp_path / "inception.json"
    record.write_text(json.dumps({"reason": "no source answers"}))
    argv = [real, fake, "--truth", truth, "--weights-json", record, "--json", out]
    assert score.main([*map(str, argv)]) == 0
    result = json.loads(out.read_text())
    assert result["fid"] is None and result["scores"]["l1"] == 0
    assert result["missing"] == dict.fromkeys(score.DISTANCES, "no source answers")
    assert f"missing {', '.join(score.DISTANCES)}: no source answers" in capsys.readouterr().out


def test_features_kept_without_weights_do_not_hide_weights_that_are_there(
    folders, standin, tmp_path
):
    real, fake = folders
    kept = tmp_path / "reference.npz"
    score.features.save(score.features.extract(real, WeightsUnavailable("offline")), kept)
    with pytest.raises(UserError, match=r"no features \(offline\)"):
        score.score(kept, fake, None, find_inception(standin))


def test_one_image_has_no_distance_but_has_content(folders, standin, tmp_path):
    real, _ = folders
    one = write_images(tmp_path / "one", 1)
    result = score.score(real, one, one, find_inception(standin))
    assert set(result["missing"]) == set(score.DISTANCES)
    assert "two images" in result["missing"]["fid"]
    assert result["scores"]["ssim"] == pytest.approx(1)


def write_manifest(folder: Path, **head: str) -> None:
    images = {path.name: sha256_file(path) for path in sorted(folder.glob("*.png"))}
    (folder / "manifest.json").write_text(json.dumps({**head, "images": images}))


def test_the_manifest_is_verified_and_its_head_copied(folders):
    real, fake = folders
    write_manifest(fake, method="no-id", split="test")
    result = score.score(real, fake, None, WeightsUnavailable("none"))
    assert result["translated"] == {"method": "no-id", "split": "test"}
    changed = fake / "01.png"
    changed.write_bytes((fake / "02.png").read_bytes())
    with pytest.raises(UserError, match="01.png is not the image"):
        score.read_manifest(fake)
    changed.unlink()
    with pytest.raises(UserError, match="01.png is missing"):
        score.read_manifest(fake)
    write_manifest(fake)
    (fake / "zz.png").write_bytes((fake / "02.png").read_bytes())
    with pytest.raises(UserError, match="zz.png is not in the manifest"):
        score.read_manifest(fake)


def test_the_control_of_real_images_has_no_counterparts_even_if_names_agree(folders):
    real, fake = folders
    write_manifest(fake, algorithm="real")
    result = score.score(real, fake, real, WeightsUnavailable("none"))
    assert result["scores"]["l1"] is None
    assert "no counterparts" in result["missing"]["l1"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"--fid-weights": "none.pth"}, "there are no Inception weights at none.pth"),
        ({"fake": "nowhere"}, "there is no folder nowhere"),
        ({"real": "nowhere"}, "nowhere is neither a folder"),
        ({"--truth": "nowhere"}, "there is no folder nowhere"),
        ({"--batch-size": "0"}, "1 or more"),
    ],
)
def test_mistakes_are_one_sentence(folders, tmp_path, change, words):
    record = tmp_path / "inception.json"
    record.write_text(json.dumps({"reason": "none"}))
    given = {"real": str(folders[0]), "fake": str(folders[1]), **change}
    argv = [given.pop("real"), given.pop("fake")]
    argv += [text for pair in given.items() for text in pair]
    if "--fid-weights" not in given:
        argv += ["--weights-json", str(record)]
    with pytest.raises(UserError, match=words):
        score.main(argv)


def test_a_damaged_weights_file_ends_the_command_with_a_sentence(folders, tmp_path):
    bad = tmp_path / "bad.pth"
    bad.write_bytes(np.random.default_rng(0).bytes(1000))
    done = run("cut.score", *folders, "--fid-weights", bad)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {bad} can't be read as weights")
    assert "Traceback" not in done.stderr
