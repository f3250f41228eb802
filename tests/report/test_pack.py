"""Archives of results: what they hold."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import pytest
import yaml
from archives_of_results import DIGEST, SIZE, write_scored, write_test_images
from command import run_command
from fake_runs import change_record, write_resamples, write_run
from PIL import Image

from cut.base.errors import UserError
from cut.base.files import sha256_of


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    root = tmp_path_factory.mktemp("results") / "coats2stripes"
    write_test_images(root / "test")
    write_resamples(write_scored(root / "mine" / "seed3", seed=3), fid=[60.0, 62.5])
    return root


@pytest.fixture(scope="module")
def archive(results, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "mine.zip"
    assert run_command("pack", [results / "mine" / "seed3", out]) == 0
    return out


def content(archive):
    with zipfile.ZipFile(archive) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_every_file_has_its_digest(results, archive):
    files = content(archive)
    head = json.loads(files.pop("archive.json"))
    assert head["files_sha256"] == {n: hashlib.sha256(b).hexdigest() for n, b in files.items()}
    assert (head["method"], head["seed"], head["dataset_digest"]) == ("cut", 3, DIGEST)
    run = results / "mine" / "seed3"
    records = ("run.json", "scores.json", "resamples.csv", "generator.pt", "history.csv")
    for name in (*records, "translated/00.png"):
        assert files[name] == (run / name).read_bytes()
    assert {name for name in files if name.endswith(".png")} == {
        "pictures.png",
        *(f"translated/0{i}.png" for i in range(3)),
    }


def test_the_same_run_gives_the_same_bytes(results, archive, tmp_path):
    run_command("pack", [results / "mine" / "seed3", tmp_path / "again.zip"])
    assert sha256_of(tmp_path / "again.zip") == sha256_of(archive)


def test_the_card_is_of_the_run(results, archive):
    card = content(archive)["card.md"].decode()
    front = yaml.safe_load(card.split("---\n")[1])
    assert front["scores"] == {"fid": 61.25} and front["seed"] == 3
    assert front["generator_sha256"] == sha256_of(results / "mine" / "seed3" / "generator.pt")
    assert "(pictures.png)" in card and "Contrastive" in card  # the citation of CUT


def test_inputs_are_shown_only_where_asked(results, archive, tmp_path):
    run_command("pack", [results / "mine" / "seed3", tmp_path / "shown.zip", "--inputs"])
    without, shown = (
        Image.open(io.BytesIO(content(path)["pictures.png"]))
        for path in (archive, tmp_path / "shown.zip")
    )
    assert without.height == SIZE and shown.height > 2 * SIZE and shown.width == without.width
    source = Image.open(results / "test" / "source" / "00.png")
    assert shown.crop((0, 0, SIZE, SIZE)).tobytes() == source.convert("RGB").tobytes()


def test_a_place_that_is_taken_is_kept(results, archive, tmp_path):
    before = sha256_of(archive)
    with pytest.raises(UserError, match="--replace"):
        run_command("pack", [results / "mine" / "seed3", archive])
    assert sha256_of(archive) == before
    with pytest.raises(UserError, match=r"\.zip"):
        run_command("pack", [results / "mine" / "seed3", tmp_path / "out.tar"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda run: (run / "translated" / "01.png").write_bytes(b"x"), "translated/01.png"),
        (lambda run: (run / "translated" / "02.png").unlink(), "translated/02.png"),
        (lambda run: (run / "generator.pt").write_bytes(b"x"), "generator.pt is not"),
        (lambda run: (run / "generator.pt").unlink(), "generator.pt is missing"),
        (lambda run: (run / "scores.json").unlink(), "score this run"),
        (lambda run: (run / "translated" / "manifest.json").unlink(), "translate"),
        (lambda run: change_record(run / "run.json", epochs=9), "epoch 3 .* 9"),
    ],
)
def test_a_run_that_is_not_whole_is_refused(tmp_path, change, words):
    run = write_scored(tmp_path / "run")
    change(run)
    with pytest.raises(UserError, match=words):
        run_command("pack", [run, tmp_path / "out.zip"])
    assert not list(tmp_path.glob("*.zip"))


def test_controls_are_refused(tmp_path):
    with pytest.raises(UserError, match="control"):
        run_command("pack", [write_run(tmp_path / "copy", "copy"), tmp_path / "out.zip"])
