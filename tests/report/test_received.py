"""Archives of results from others: checked, scored again, or refused with a sentence."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile

import pytest
from archives_of_results import (
    SIZE,
    scores,
    write_claim,
    write_scored,
    write_test_images,
    write_translated,
)
from command import run_command
from fake_runs import change_record, write_run
from PIL import Image
from standin import write_weights

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.records.archive import ArchiveRecord
from cut.records.inception import InceptionRecord
from cut.records.scores import ScoresRecord
from cut.report import pack, received


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a folder of results with test images and a control."""
    root = tmp_path_factory.mktemp("home")
    write_test_images(root / "coats2stripes" / "test")
    write_run(root / "coats2stripes" / "copy" / "seed0", "copy")
    return root


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    return write_scored(tmp_path_factory.mktemp("theirs") / "run")


@pytest.fixture(scope="module")
def archive(theirs, tmp_path_factory):
    out = tmp_path_factory.mktemp("archive") / "theirs.zip"
    pack.pack(theirs, out)
    return out


def take(archive, home, into, fid=61.25, **changes):
    """Take an archive whose translations get the score `fid` here."""

    def rescore(test, run):
        return scores(run, fid, **changes)

    return received.receive([archive], [home], into, rescore)[0]


def refused(archive, home, into, words, **how):
    with pytest.raises(UserError, match=words) as caught:
        take(archive, home, into, **how)
    assert str(archive) in str(caught.value) and "\n" not in str(caught.value)
    assert not into.is_dir() or not list(into.iterdir())


def rewritten(archive, out, changes, honest=True):
    """Copy an archive with other files; with `honest`, it names the digests of these."""
    with zipfile.ZipFile(archive) as file:
        files = {name: file.read(name) for name in file.namelist()}
    files = {name: content for name, content in (files | changes).items() if content is not None}
    if honest:
        head = json.loads(files.pop("archive.json"))
        head["files_sha256"] = {n: hashlib.sha256(b).hexdigest() for n, b in files.items()}
        head.pop("sha256")
        files["archive.json"] = json.dumps(head).encode()
    with zipfile.ZipFile(out, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return out


def test_a_row_is_scored_again_from_its_translations(home, tmp_path, capsys):
    """All of it with real files: features, scores, packing, collecting."""
    weights = write_weights(tmp_path / "weights.pth")
    test = write_test_images(tmp_path / "home" / "coats2stripes" / "test", images=2)
    write_run(tmp_path / "home" / "coats2stripes" / "copy" / "seed0", "copy", images=0)
    (tmp_path / "home" / "coats2stripes" / "copy" / "seed0" / "scores.json").unlink()
    record = tmp_path / "weights.json"
    run_command("inception", ["--out", record, "--weights", weights])
    run_command("features", [test / "target", test / "target.npz", "--weights-json", record])
    run = write_scored(tmp_path / "run", seed=4, images=2)
    given = ["--test", test, "--weights-json", record, "--json", run / "scores.json"]
    given += ["--resamples", run / "resamples.csv"]
    run_command("score", [test / "target.npz", run / "translated", *given])
    honest = ScoresRecord.read(run / "scores.json")
    run_command("pack", [run, tmp_path / "a.zip"])
    out = tmp_path / "out"
    given = ["--weights-json", record, "--device", "cpu", tmp_path / "home", tmp_path / "a.zip"]
    run_command("collect", ["--out", out, *given])
    assert "took " in capsys.readouterr().out
    place = out / "received" / "coats2stripes" / "cut" / "seed4"
    again = ScoresRecord.read(place / "scores.json")
    assert again.scores == honest.scores and again.scores["l1"] is not None
    assert again.resamples_sha256 == sha256_of(place / "resamples.csv")
    assert again.resamples_sha256 == honest.resamples_sha256
    assert (place / "features.npz").is_file() and (place / "card.md").is_file()
    with open(out / "coats2stripes.csv", newline="") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert float(rows["cut"]["fid"]) == honest.scores["fid"]


def test_the_scores_are_those_computed_here(archive, home, tmp_path):
    taken = take(archive, home, tmp_path / "in", fid=61.26)
    assert taken.claimed == 61.25 and taken.run.scored.scores["fid"] == 61.26
    assert ScoresRecord.read(taken.run.folder / "scores.json").scores["fid"] == 61.26
    again = take(archive, home, tmp_path / "in", fid=61.25)  # it replaces its own earlier one
    assert again.run.folder == taken.run.folder and again.run.scored.scores["fid"] == 61.25
    assert not list((tmp_path / "in").glob(".*"))


def test_a_folder_that_is_no_received_run_is_kept(archive, home, tmp_path):
    own = write_run(tmp_path / "in" / "coats2stripes" / "cut" / "seed0")
    with pytest.raises(UserError, match="came from no archive"):
        take(archive, home, tmp_path / "in")
    assert (own / "scores.json").is_file()


@pytest.mark.parametrize("name", ["translated/01.png", "scores.json", "run.json", "card.md"])
def test_a_tampered_file_is_named(archive, home, tmp_path, name):
    with zipfile.ZipFile(archive) as file:
        content = file.read(name)
    changed = rewritten(archive, tmp_path / "a.zip", {name: content + b" "}, honest=False)
    refused(changed, home, tmp_path / "in", f"{name} is not the file")
    lacking = rewritten(archive, tmp_path / "b.zip", {name: None}, honest=False)
    refused(lacking, home, tmp_path / "in", f"holds no {name}")


def test_a_flipped_bit_is_noticed(archive, home, tmp_path):
    whole = archive.read_bytes()
    for place in range(0, len(whole), len(whole) // 12):
        content = bytearray(whole)
        content[place] ^= 4
        (tmp_path / "a.zip").write_bytes(content)
        try:  # a few bytes of a zip file mean nothing
            assert take(tmp_path / "a.zip", home, tmp_path / "in").claimed == 61.25
        except UserError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../outside.png", "leaves the folder"),
        ("/tmp/outside.png", "leaves the folder"),
        ("translated/../../x.png", "leaves the folder"),
        ("C:\\x.png", "leaves the folder"),
        ("translated/deep/x.png", "no part of"),
        ("evil.sh", "no part of"),
    ],
)
def test_paths_outside_and_foreign_files_are_refused(archive, home, tmp_path, name, words):
    bad = rewritten(archive, tmp_path / "a.zip", {name: b"x"}, honest=False)
    refused(bad, home, tmp_path / "in", words)
    assert {path.name for path in tmp_path.iterdir()} <= {"a.zip", "in"}


def test_a_link_and_a_bomb_are_refused(archive, home, tmp_path, monkeypatch):
    link = rewritten(archive, tmp_path / "a.zip", {}, honest=False)
    with zipfile.ZipFile(link, "a") as file:
        info = zipfile.ZipInfo("translated/link.png")
        info.external_attr = 0o120777 << 16
        file.writestr(info, "/etc/passwd")
    refused(link, home, tmp_path / "in", "link")
    monkeypatch.setitem(received.LIMITS, "max_file_bytes", 1000)
    refused(archive, home, tmp_path / "in", "1000.*ask its author")


def test_other_archives_and_damaged_ones_are_refused(archive, home, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("run.json", "{}")
    refused(tmp_path / "a.zip", home, tmp_path / "in", "python -m cut pack")
    (tmp_path / "b.zip").write_bytes(archive.read_bytes()[:-100])
    refused(tmp_path / "b.zip", home, tmp_path / "in", "damaged")


def test_another_data_set_or_size_is_refused(archive, theirs, home, tmp_path):
    foreign = tmp_path / "foreign"
    write_test_images(foreign / "coats2stripes" / "test", digest="e" * 64)
    refused(archive, foreign, tmp_path / "in", "data digest dddddddddddd… .* eeeeeeeeeeee…")
    refused(archive, tmp_path / "none", tmp_path / "in", "no test images of it")
    manifest = foreign / "coats2stripes" / "test" / "manifest.json"
    change_record(manifest, dataset_digest="d" * 64, size=[64, 64])
    refused(archive, foreign, tmp_path / "in", "size 48x48 but .* 64x64")
    # Of two versions, the one that fits is taken.
    assert received.receive(
        [archive], [foreign, home], tmp_path / "in", lambda *_: scores(theirs, 61.25)
    )


def test_other_test_names_are_refused(theirs, home, tmp_path):
    for images, words in ((4, "03.png .* no test image"), (2, "02.png is missing")):
        run = write_scored(tmp_path / f"run{images}", images=images)
        pack.pack(run, tmp_path / f"{images}.zip")
        refused(tmp_path / f"{images}.zip", home, tmp_path / "in", words)


def test_images_of_another_size_or_kind_are_refused(home, tmp_path):
    run = write_scored(tmp_path / "run")
    for number, (kind, size) in enumerate([("PNG", SIZE + 1), ("BMP", SIZE)]):
        buffer = io.BytesIO()
        Image.new("RGB", (size, size)).save(buffer, kind)
        (run / "translated" / "01.png").write_bytes(buffer.getvalue())
        write_translated(run)
        pack.pack(run, tmp_path / f"{number}.zip")
        refused(tmp_path / f"{number}.zip", home, tmp_path / "in", f"01.png is {kind} {size}")


def test_another_protocol_is_refused(archive, home, tmp_path):
    words = "another real.resize .'bilinear to 299x299'. than here .'area'"
    refused(archive, home, tmp_path / "in", words, resize="area")


def test_a_claim_that_the_translations_do_not_bear_out_is_refused(theirs, home, tmp_path):
    write_claim(theirs, 12.0)
    pack.pack(theirs, tmp_path / "a.zip")
    refused(tmp_path / "a.zip", home, tmp_path / "in", "12.00, but .* 61.25 here")
    refused(tmp_path / "a.zip", home, tmp_path / "in", "no weights", fid=None)
    write_claim(theirs, None)  # no claim, no contradiction
    pack.pack(theirs, tmp_path / "b.zip")
    assert take(tmp_path / "b.zip", home, tmp_path / "in").claimed is None


def test_records_of_several_runs_are_refused(archive, home, tmp_path):
    other = write_scored(tmp_path / "other", seed=1)
    pack.pack(other, tmp_path / "other.zip")
    with zipfile.ZipFile(tmp_path / "other.zip") as file:
        parts = {name: file.read(name) for name in ("run.json", "scores.json")}
        manifest = file.read("translated/manifest.json")
    mixed = rewritten(archive, tmp_path / "a.zip", {"run.json": parts["run.json"]})
    refused(mixed, home, tmp_path / "in", "seed 0 but .* 1")
    mixed = rewritten(archive, tmp_path / "b.zip", parts)
    refused(mixed, home, tmp_path / "in", "differ in seed")
    mixed = rewritten(archive, tmp_path / "c.zip", {"translated/manifest.json": manifest})
    refused(mixed, home, tmp_path / "in", "of seed 1 but")
    mixed = rewritten(archive, tmp_path / "d.zip", {"generator.pt": b"another"})
    refused(mixed, home, tmp_path / "in", "generator.pt is not")
    mixed = rewritten(archive, tmp_path / "e.zip", {"translated/09.png": b"x"})
    refused(mixed, home, tmp_path / "in", "translated/09.png is not the image of")


def test_a_method_that_is_a_program_of_its_own_has_no_generator(home, tmp_path):
    run = write_scored(tmp_path / "run")
    (run / "generator.pt").unlink()
    change_record(run / "run.json", external=True)
    head = pack.pack(run, tmp_path / "a.zip")
    assert "generator.pt" not in head.files_sha256
    assert take(tmp_path / "a.zip", home, tmp_path / "in").run.record.external


def test_a_control_is_refused(archive, home, tmp_path):
    with zipfile.ZipFile(archive) as file:
        record = json.loads(file.read("run.json")) | {"role": "floor"}
    made = rewritten(archive, tmp_path / "a.zip", {"run.json": json.dumps(record).encode()})
    refused(made, home, tmp_path / "in", "control")


def test_archives_alone_are_refused(archive, tmp_path):
    with pytest.raises(UserError, match="test images"):
        run_command("collect", ["--out", tmp_path / "out", archive])
    assert ArchiveRecord.find(archive) is None and InceptionRecord.find(archive) is None
