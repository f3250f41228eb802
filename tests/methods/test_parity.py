"""Agreement with recorded steps of the authors' code."""

from __future__ import annotations

import re

import numpy as np
import pytest
from command import run_command
from conftest import ROOT, SHARED

from cut.base.errors import UserError
from cut.methods import parity
from cut.methods.correspondence import Correspondence
from cut.methods.cut import Cut

OWN = ROOT / "tests" / "data" / "parity"
GIVEN = SHARED / "parity"
FOLDERS = (OWN, GIVEN, GIVEN / "table1", GIVEN / "successors")
# Every recording of a method that is here; the larger ones are not copied into the repository.
NAMES = """
cut cut_batch2 cut_batch2_all_negatives cut_last_layer fastcut cyclegan cyclegan_no_identity
gcgan distancegan selfdistance munit drit drit_mode_seeking moco
monce qs_global qs_local qs_local_global hneg_src dcl simdcl negcut santa enco decent unsb sincut
""".split()
# Recordings of methods that are not here.
OTHERS = {"fsesim", "lsesim"}
# What a recording says beside draws and results: the slope of the norm of a zero vector, positions
# that follow from the weights, and the numbers that such positions and coins were chosen from.
BESIDE = re.compile(r"/F/mlp_1\.2\.|/selected/|/oversampled/|/random/|/flip_draw/")


def path_of(name):
    for folder in FOLDERS:
        if (folder / f"{name}.npz").is_file():
            return folder / f"{name}.npz"
    pytest.skip(f"no {name}.npz in tests/data/parity, and no ../shared/parity")


def load(name):
    with np.load(path_of(name)) as archive:
        return dict(archive)


@pytest.mark.parametrize("name", NAMES)
def test_recorded_steps_are_replayed(name, capsys):
    assert run_command("parity", [str(path_of(name))]) == 0
    out = capsys.readouterr().out
    assert "within 1e-08" in out
    left = out.partition("not compared: ")[2].split(", ")
    assert all(BESIDE.search(key) for key in left if key)


def test_no_recording_is_forgotten():
    here = [path.stem for folder in FOLDERS for path in folder.glob("*.npz")]
    assert set(here) <= {*NAMES, *OTHERS}


def test_the_page_has_the_row_of_each_recording(capsys):
    page = (ROOT / "docs" / "parity.md").read_text()
    rows = re.findall(r"^\| `([\w-]+)` \| (\w+)\.npz \|(.*)\|$", page, flags=re.M)
    assert [name for _, name, _ in rows] == NAMES
    assert run_command("parity", ["--table", str(OWN / "gcgan.npz")]) == 0
    made = capsys.readouterr().out.splitlines()
    assert "\n".join(made[:2]) in page
    assert made[2].startswith("| `gcgan` | gcgan.npz |")
    assert made[2].count("|") == len(parity.KINDS) + 3


def test_two_images_agree_without_the_recordings_layout():
    found = parity.replay(load("cut_batch2_all_negatives"))
    assert found.errors.keys() == set(parity.KINDS) and found.within(1e-11)


@pytest.mark.parametrize(
    "key",
    [
        "step0/loss/NCE",
        "step0/grad/D/model.3.weight",
        "after/F/mlp_2.0.weight",
        "step0/features_A/8",
    ],
)
def test_a_changed_number_is_found(key, tmp_path, capsys):
    arrays = load("cut_batch2_all_negatives")
    arrays[key] = arrays[key] * (1 + 1e-6)
    np.savez(tmp_path / "changed.npz", **arrays)
    assert run_command("parity", [str(tmp_path / "changed.npz")]) == 1
    assert "ABOVE" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("step0/grad_before_clipping/F_A/flow_1.model.0.0.bias", "gradients"),
        ("step2/grad_norm/F_B", "gradients"),
        ("after_average/F_B/flow_4.model.0.2._diag_weight", "weights"),
    ],
)
def test_clipping_and_averages_are_compared(key, kind):
    arrays = load("decent")
    arrays[key] = arrays[key] * (1 + 1e-6)
    errors = parity.replay(arrays).errors
    assert {name for name, error in errors.items() if error > 1e-8} == {kind}


def test_what_is_no_number_here_disagrees(monkeypatch):
    arrays = load("cut_batch2_all_negatives")
    monkeypatch.setattr(Cut, "translate", lambda self, x: x * np.nan)
    monkeypatch.setattr(Cut, "authors", Correspondence())
    arrays["step0/fake_B"] = arrays["step0/A"]
    assert parity.replay(arrays).errors["outputs"] == np.inf


def test_a_recorded_entry_that_is_no_number_is_left_out_and_listed():
    arrays = load("cut_batch2_all_negatives")
    undefined = [key for key in arrays if key.startswith("after") and np.isnan(arrays[key]).any()]
    assert len(undefined) == 2, "the slope of a zero vector's norm"
    key = "after/D/model.3.weight"
    arrays[key] = arrays[key].copy()
    arrays[key][0, 0, 0, 0] = np.nan
    found = parity.replay(arrays)
    assert found.within(1e-8) and {key, *undefined} <= set(found.unused)


@pytest.mark.parametrize(("gradient", "compared"), [(1e-14, False), (0.0, True), (1e-10, True)])
def test_an_entry_whose_gradient_is_rounding_noise_is_not_compared(gradient, compared):
    arrays = load("cut_batch2_all_negatives")
    for key in ("step0/grad/D/model.3.weight", "after/D/model.3.weight"):
        arrays[key] = arrays[key].copy()
    of_network = [v for k, v in arrays.items() if k.startswith("step0/grad/D/")]
    largest = max(np.abs(v).max() for v in of_network)
    arrays["step0/grad/D/model.3.weight"][0, 0, 0, 0] = gradient * largest
    arrays["after/D/model.3.weight"][0, 0, 0, 0] += 1
    assert (parity.replay(arrays).errors["weights"] > 1e-3) == compared


def test_other_files_are_refused(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"x\.npz"):
        run_command("parity", [str(tmp_path / "x.npz")])
    arrays = load("cut_batch2_all_negatives")
    del arrays["step0/B"]
    np.savez(tmp_path / "y.npz", **arrays)
    with pytest.raises(UserError, match="step0/B"):
        run_command("parity", [str(tmp_path / "y.npz")])


def without(key):
    return lambda arrays: arrays.pop(key)


def added(key, value):
    return lambda arrays: arrays.update({key: np.array(value)})


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (without("step0/patch_ids/call1/layer0"), "patch_ids"),
        (without("before/G/model.1.weight"), r"G/model\.1\.weight"),
        (added("before/G/model.99.weight", [1.0]), r"model\.99"),
        (added("before/G/model.1.weight", [1.0]), r"\(1,\)"),
        (added("step0/loss/another", 1.0), "another"),
        (added("meta", '{"method": "cutt"}'), "cutt"),
    ],
)
def test_a_recording_without_counterpart_is_refused(change, word):
    arrays = load("cut_batch2_all_negatives")
    change(arrays)
    with pytest.raises(UserError, match=word):
        parity.replay(arrays)


def test_what_nothing_reads_is_listed():
    arrays = load("cut_batch2_all_negatives")
    arrays |= {"step0/other": np.ones(2), "step0/unset": np.array(False)}
    unused = parity.replay(arrays).unused
    assert "step0/other" in unused and "step0/unset" not in unused


def test_a_draw_without_a_name_is_refused(monkeypatch):
    step = Cut.step

    def careless(self, batch):
        self.rng.manual_seed(int(self.rng.initial_seed()) + 1)
        return step(self, batch)

    monkeypatch.setattr(Cut, "step", careless)
    with pytest.raises(UserError, match=r"Method\.draw"):
        parity.replay(load("cut_batch2_all_negatives"))
