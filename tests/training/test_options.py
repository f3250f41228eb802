"""The options of the loop: what each decides, defaults, and wrong values."""

from __future__ import annotations

import subprocess
import sys
from typing import get_args

import pytest
from conftest import ROOT

from cut.base.errors import UserError
from cut.methods.cut import Cut, FastCut
from cut.results import protocol
from cut.training.options import (
    WEIGHTS_DEPEND_ON,
    WITHOUT_EFFECT,
    Decides,
    TrainingOptions,
    deciding,
    training_options,
)


def test_every_option_decides_one_kind_of_thing():
    kinds = [deciding(kind) for kind in get_args(Decides)]
    assert sorted(sum(kinds, ())) == sorted(TrainingOptions.model_fields)
    assert deciding("bits") == ("cuda_graph", "threads")
    assert deciding("files") == ("snapshot_every",)
    assert set(WITHOUT_EFFECT) == set(deciding("nothing"))


def test_the_protocol_reads_the_same_list():
    assert protocol.WEIGHTS_DEPEND_ON is WEIGHTS_DEPEND_ON
    others = {"cuda_graph", "threads", "snapshot_every", *WITHOUT_EFFECT}
    assert others.isdisjoint(WEIGHTS_DEPEND_ON)


def test_given_options_win_over_the_methods_defaults():
    assert training_options(FastCut, {}).epochs == 200
    assert training_options(Cut, {}).epochs == 400
    assert training_options(FastCut, {"epochs_decay": 7}).epochs == 157


@pytest.mark.parametrize(
    "given, words",
    [
        ({"epoch": 3}, "'epoch'"),
        ({"batch_size": 0}, "batch_size .* is 0"),
        ({"precision": "float16"}, "precision .* is 'float16'"),
        ({"epochs_constant": 0, "epochs_decay": 0}, "both 0"),
        ({"epochs_constant": 1, "epochs_decay": 1, "extends": [[1, 1]]}, "extends .* 2 epochs"),
        ({"epochs_constant": 9, "extends": [[3, 0], [1, 1]]}, "shortest first"),
        ({"extends": [[3]]}, "extends"),
    ],
)
def test_wrong_options_are_refused(given, words):
    with pytest.raises(UserError, match=words):
        training_options(Cut, given)


def test_options_load_no_torch():
    code = "import sys, cut.training.options; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
