"""Generators as ONNX and TorchScript, and their model cards."""

from __future__ import annotations

import importlib.util

import pytest
import torch
import yaml
from command import run_command
from fake_runs import write_best
from other_forms import BANDS, GREY
from trained_generators import write_generator

from cut.apply import export
from cut.apply.trained import load_trained
from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.base.image_form import DEFAULT, Images
from cut.records.dataset import DatasetRecord


def command(*given):
    return run_command("export generator", given)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_generator(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def script(run, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "generator.pt"
    command(run, out)
    return out


def agrees(run, translate):
    """Return whether a translation of two sizes is that of the run's generator."""
    method = load_trained(run).method.train(False)
    rng, channels = torch.Generator().manual_seed(3), method.images.source.channels
    images = [
        torch.rand(n, channels, h, w, generator=rng) * 2 - 1
        for n, h, w in [(1, 40, 24), (3, 20, 60)]
    ]
    return all(float((translate(x) - method.translate(x)).abs().max()) < 1e-4 for x in images)


def test_torchscript_agrees_at_any_size(run, script):
    assert agrees(run, torch.jit.load(script))
    # The discriminator and the projection heads are not in it.
    assert script.stat().st_size < 3 * (run / "generator.pt").stat().st_size


def test_four_channels_are_exported_too(tmp_path):
    run = write_generator(tmp_path / "run", images=Images(BANDS, BANDS))
    command(run, tmp_path / "generator.pt")
    assert agrees(run, torch.jit.load(tmp_path / "generator.pt"))


# From one channel to four, neither number may be taken for the other, or for RGB's.
@pytest.mark.parametrize(
    ("method", "images"),
    [("cut", DEFAULT), ("cyclegan", Images(GREY, BANDS))],
    ids=["RGB", "1 to 4"],
)
def test_onnx_agrees_at_any_size(tmp_path, method, images):
    for name in export.PACKAGES:
        pytest.importorskip(name, reason=f"{name} is not installed")
    import onnxruntime

    run = write_generator(tmp_path / "run", method, images=images)
    out = tmp_path / "generator.onnx"
    command(run, out)
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    assert agrees(run, lambda x: torch.from_numpy(session.run(None, {"images": x.numpy()})[0]))
    assert front(out.with_suffix(".md").read_text())["method"] == method


def test_without_its_packages_onnx_is_refused(run, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="onnx, onnxscript, onnxruntime"):
        command(run, tmp_path / "generator.onnx")
    assert not list(tmp_path.iterdir())


def test_a_file_that_disagrees_is_not_kept(run, tmp_path, monkeypatch):
    real = export.write_script

    def wrong(*given):
        written = real(*given)
        return lambda x: written(x) + 2e-4

    monkeypatch.setattr(export, "write_script", wrong)
    with pytest.raises(UserError, match="differs"):
        command(run, tmp_path / "generator.pt")
    monkeypatch.setattr(export, "write_script", lambda *given: 1 / 0)
    with pytest.raises(UserError, match="can't be exported"):
        command(run, tmp_path / "generator.pt")
    assert not list(tmp_path.iterdir())


def test_other_places_are_refused(run, script, tmp_path):
    with pytest.raises(UserError, match="neither"):
        command(run, tmp_path / "generator.h5")
    before = sha256_of(script)
    with pytest.raises(UserError, match="--replace"):
        command(run, script)
    assert sha256_of(script) == before


@pytest.mark.parametrize(
    ("method", "noise", "named"),
    [("munit", None, "draws"), ("sincut", 0.5, "sincut"), ("copy", None, "no generator")],
)
def test_methods_that_cannot_be_exported_are_refused(tmp_path, method, noise, named):
    run = write_generator(tmp_path / "run", method, noise=noise)
    with pytest.raises(UserError, match=named):
        command(run, tmp_path / "generator.pt")
    assert not (tmp_path / "generator.pt").exists() and not (tmp_path / "generator.md").exists()


def front(card):
    assert card.startswith("---\n")
    return yaml.safe_load(card.split("---\n")[1])


def test_the_card_names_what_the_generator_is(run, script):
    card = script.with_suffix(".md").read_text()
    record, found = load_trained(run).record, front(card)
    assert found["options"] == record.options and found["dataset_digest"] == record.dataset_digest
    assert (found["method"], found["epochs"], found["dataset"]) == ("cut", 3, "coats2stripes")
    assert found["generator_sha256"] == sha256_of(run / "generator.pt")
    assert found["file_sha256"] == sha256_of(script) and found["largest_difference"] <= 1e-4
    assert found["scores"]["fid"] == 61.25 and "| FID | 61.2" in card
    assert "cutbench" in found["dataset_licence"]  # of the known data set
    assert found["code_digest"] == record.code_digest and found["versions"] == record.versions


def test_the_card_of_another_epoch_has_its_scores_or_none(tmp_path):
    first = write_generator(tmp_path / "first", seed=1)
    run = write_generator(
        tmp_path / "run",
        snapshots={str(epoch): sha256_of(first / "generator.pt") for epoch in (2,)},
    )
    weights = run / "snapshots" / "epoch0002.pt"
    weights.parent.mkdir()
    weights.write_bytes((first / "generator.pt").read_bytes())
    command(weights, tmp_path / "a.pt")
    assert front((tmp_path / "a.md").read_text())["scores"] is None
    write_best(run, {1: 90.0, 2: 50.5})
    command(weights, tmp_path / "b.pt")
    found = front((tmp_path / "b.md").read_text())
    assert found["epoch"] == 2 and found["scores"]["fid"] == 50.5


def test_the_licence_is_that_of_the_data_set_given(run, tmp_path):
    facts = {"dataset": "coats2stripes", "root": ".", "source": "a", "target": "b"}
    facts |= {"direction": "AtoB", "counts": {}, "citation": "", "options": {}, "images": {}}
    own = DatasetRecord(**facts, digest="d" * 64, licence="CC0")
    own.write(tmp_path / "dataset.json")
    command(run, tmp_path / "a.pt", "--dataset", tmp_path / "dataset.json")
    assert front((tmp_path / "a.md").read_text())["dataset_licence"] == "CC0"
    own.model_copy(update={"digest": "e" * 64}).write(tmp_path / "dataset.json")
    with pytest.raises(UserError, match="another version"):
        command(run, tmp_path / "b.pt", "--dataset", tmp_path / "dataset.json")
    assert not (tmp_path / "b.pt").exists()
