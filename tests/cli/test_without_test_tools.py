"""The commands of the workflow need none of the packages that only the tests have."""

from __future__ import annotations

import sys

import pytest
import standin
from command import run_command
from training_runs import arguments

from cut.base.errors import UserError

# Other implementations of the scores: the test lock has them, and a job's environment has not.
TOOLS = ("pytorch_fid", "torch_fidelity", "cleanfid")
TRAINING = {"epochs_constant": 2, "epochs_decay": 0, "snapshot_every": 1, "log_every": 6}


@pytest.fixture
def no_tools(monkeypatch):
    """Let the import of each test tool fail as if it was not installed."""
    for name in [n for n in sys.modules if n.split(".")[0] in TOOLS] + list(TOOLS):
        monkeypatch.setitem(sys.modules, name, None)


def test_a_run_goes_from_training_to_the_tables_without_the_test_tools(no_tools, pets, tmp_path):
    data, run, test = tmp_path / "data", tmp_path / "run", tmp_path / "test"
    record, weights = data / "dataset.json", tmp_path / "inception.json"
    run_command("prepare", ["pets", "--source", pets, "--out", data])
    run_command("train", arguments(record, run, training=TRAINING))
    run_command("translate", ["--dataset", record, "--run", run, "--device=cpu"])
    run_command("export", [record, test, "--size=32"])
    given = standin.write_weights(tmp_path / "weights.pt")
    run_command("inception", ["--weights", given, "--out", weights])
    shared = ["--weights-json", weights, "--device=cpu"]
    run_command("features", [test / "target", test / "target.npz", *shared])
    scores = ["--json", run / "scores.json", *shared]
    run_command("score", [test / "target.npz", run / "translated", *scores])
    select = ["--dataset", record, "--run", run, "--reference", test / "target.npz"]
    run_command("select", [*select, *shared])
    best = [test / "target.npz", run / "best/translated", "--json", run / "best/scores.json"]
    run_command("score", [*best, *shared])
    run_command("report tables", ["--out", tmp_path / "tables", run])
    assert (tmp_path / "tables/pets.csv").is_file()
    with pytest.raises(UserError, match="pip install pytorch-fid=="):
        run_command(
            "features", [pets / "testB", tmp_path / "b.npz", *shared, "--network=pytorch-fid"]
        )
