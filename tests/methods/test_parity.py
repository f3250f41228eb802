"""Agreement with recorded steps of the authors' code."""

from __future__ import annotations

import numpy as np
import pytest
from command import run_command
from conftest import ROOT, SHARED

from cut.base.errors import UserError
from cut.methods import parity

OWN = sorted((ROOT / "tests" / "data" / "parity").glob("*.npz"))
GIVEN = sorted((SHARED / "parity").glob("*.npz"))


@pytest.mark.parametrize("path", OWN + GIVEN, ids=lambda p: f"{p.parent.parent.name}-{p.stem}")
def test_recorded_steps_are_replayed(path, capsys):
    assert run_command("parity", [str(path)]) == 0
    assert "within 1e-08" in capsys.readouterr().out


def test_two_images_agree_without_the_recordings_layout():
    arrays = load(OWN, "cut_batch2_all_negatives")
    assert max(parity.replay(arrays).values()) < 1e-11


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
    arrays = load(OWN, "cut_batch2_all_negatives")
    arrays[key] = arrays[key] * (1 + 1e-6)
    np.savez(tmp_path / "changed.npz", **arrays)
    assert run_command("parity", [str(tmp_path / "changed.npz")]) == 1
    assert "ABOVE" in capsys.readouterr().out


def test_other_files_are_refused(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"x\.npz"):
        run_command("parity", [str(tmp_path / "x.npz")])
    arrays = load(OWN, "cut_batch2_all_negatives")
    del arrays["step0/B"]
    np.savez(tmp_path / "y.npz", **arrays)
    with pytest.raises(UserError, match="step0/B"):
        run_command("parity", [str(tmp_path / "y.npz")])


def load(paths, stem):
    (path,) = [p for p in paths if p.stem == stem]
    with np.load(path) as archive:
        return dict(archive)
