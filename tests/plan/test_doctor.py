"""What `doctor` says of a machine and of a config, and how it counts the time of trainings."""

from __future__ import annotations

import re
import sys
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
import yaml
from command import run_command
from conftest import ROOT
from other_forms import BANDS, COUNTS, write_set
from training_runs import OPTIONS

from cut.base.errors import UserError
from cut.data.prepare import prepare
from cut.methods.registry import discover
from cut.plan import doctor, estimate, timing
from cut.plan.config import read
from cut.plan.machine import Gpu, Machine, this_machine
from cut.plan.plan import make_plan
from cut.records.inception import InceptionRecord
from cut.training.options import training_options

PROGRAMS = {"Snakemake": "9.27.1", "conda": "24.7.1", "uv": None, "Slurm": None}
MACHINE = Machine("3.12.1", "2.12.0", "13.0", (), False, 4, 0.1, 8 * 10**9, 7 * 10**9, PROGRAMS)
GPU = Gpu("A GPU", 24 * 10**9, 20 * 10**9)
TINY = {
    "datasets": ["coats2stripes"],
    "data_sources": {"coats2stripes": {"size": 32, "train": 7, "test": 5, "seed": 0}},
    "size": 32,
    "run": ["copy", "cut", "same", "fastcut", "real"],
    "methods": {"same": {"method": "cut"}},
    "options": OPTIONS,
    "training": {"epochs_constant": 2, "epochs_decay": 1, "batch_size": 2},
    "seeds": [0, 1],
}


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Return a function that writes a config into an empty folder, where the test then runs."""
    monkeypatch.chdir(tmp_path)

    def write(**changes):
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump({**TINY, **changes}))
        return path

    return write


def fake_step(seconds=0.5, memory=10**9, kept=10**6):
    """Return a stand-in for the measurement, which takes no step."""

    def measure(row, size, device, share):
        options = training_options(discover()[row.algorithm], {**row.training, **row.loop})
        return timing.Measured(seconds, False, memory, kept, options)

    return measure


@pytest.fixture
def not_measured(monkeypatch):
    """Let each step take half a second, without taking one, and find no weights in a cache."""
    monkeypatch.setattr(estimate, "measure", fake_step())
    monkeypatch.setattr("cut.metrics.inception.weights.cached_inception", lambda: None)


def findings(path, machine=MACHINE):
    found = doctor.about_machine(machine)
    doctor.about_config(make_plan(read(path)), machine, 1, found)
    return found


def test_a_config_that_can_run_is_status_0_and_nothing_is_written(config, tmp_path, capsys):
    path = config()
    assert run_command("doctor", [path, "--seconds", "0.2"]) == 0
    said = capsys.readouterr().out
    rows = [line.split(":")[0] for line in said.splitlines() if line.startswith("row ")]
    assert rows == ["row cut", "row same", "row fastcut"]  # controls cost nothing
    assert "2 trainings left" in said and "coats2stripes: will be generated" in said
    assert "lacking" not in said
    assert list(tmp_path.iterdir()) == [path]


def test_a_config_without_its_data_is_status_1_and_names_each_thing(config, not_measured, capsys):
    sources = {"mine": "photos", "cityscapes": {}}
    path = config(datasets=["mine", "cityscapes"], data_sources=sources, segmenter="drn.pth")
    assert run_command("doctor", [path]) == 1
    lacking = [line for line in capsys.readouterr().out.splitlines() if line.startswith("lacking")]
    assert len(lacking) == 3
    for thing in ("drn.pth", "photos", "leftImg8bit"):
        assert sum(thing in line for line in lacking) == 1, thing


@pytest.mark.parametrize(
    ("record", "said", "lacking"),
    [
        (None, "will be fetched", 0),
        ({"reason": "no source answered"}, "no source answered", 0),
        ({"path": "gone.pth", "source": "x", "tensors_sha256": "ab"}, "not here", 1),
        ({"path": "config.yaml", "source": "x", "tensors_sha256": "ab"}, "config.yaml", 0),
    ],
)
def test_the_weights_are_those_that_the_workflow_takes(
    config, not_measured, tmp_path, record, said, lacking
):
    path = config()
    if record:
        InceptionRecord(**record).write(tmp_path / "data" / "inception.json")
    found = findings(path)
    assert len(found.lacking) == lacking
    assert any(line.startswith("Inception weights: ") and said in line for line in found.lines)


def test_an_unknown_number_of_images_gives_no_time(config, not_measured, tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("set/trainA/0.png", b"")
    path = config(datasets=["mine"], data_sources={"mine": "set.zip"}, run=["cut", "reinhard"])
    lines = findings(path).lines
    assert not any(line.startswith("all trainings") for line in lines)
    assert sum("not counted" in line and "mine" in line for line in lines) == 1
    assert sum("not counted" in line and "reinhard" in line for line in lines) == 1
    assert sum(line.startswith("row ") for line in lines) == 1


def test_the_time_is_steps_times_epochs_times_seeds(config, not_measured, tmp_path):
    plan = make_plan(read(config()))
    costs, wrong = estimate.row_costs(plan, torch.device("cpu"), 1)
    # 4 batches of 7 pairs, 3 epochs, 2 seeds.
    assert not wrong and [cost.steps for cost in costs] == [24, 24, 24]
    assert [cost.seconds for cost in costs] == [12, 12, 12]
    assert estimate.wall_seconds(costs, 1) == 36 and estimate.wall_seconds(costs, 4) == 9
    assert estimate.wall_seconds(costs, 100) == 6  # of the longest training
    done = tmp_path / "results/coats2stripes/cut/seed1"
    done.mkdir(parents=True)
    (done / "run.json").write_text("{}")
    left = estimate.row_costs(plan, torch.device("cpu"), 1)[0]
    assert [cost.trainings for cost in left] == [1, 2, 2]


def test_the_steps_of_the_paper_are_those_of_its_config(not_measured):
    plan = make_plan(read(ROOT / "config" / "paper.yaml"))
    costs, _ = estimate.row_costs(plan, torch.device("cpu"), 1)
    steps = {cost.row: cost.steps / cost.trainings for cost in costs}
    assert steps["cut"] == 533_600 and steps["fastcut"] == 266_800


def test_rows_with_the_same_options_are_measured_once(config, monkeypatch):
    measured, shares = [], []

    def measure(row, size, device, share):
        measured.append(row.name)
        shares.append(share)
        return fake_step()(row, size, device, share)

    monkeypatch.setattr(estimate, "measure", measure)
    estimate.row_costs(make_plan(read(config())), torch.device("cpu"), 10)
    assert measured == ["cut", "fastcut"] and sum(shares) == 10


@pytest.mark.parametrize(
    ("gpus", "cores", "expected"), [(0, 8, 6), (0, 2, 2), (4, 2, 4), (8, 2, 6)]
)
def test_trainings_run_side_by_side_on_cores_or_gpus(config, not_measured, gpus, cores, expected):
    costs, _ = estimate.row_costs(make_plan(read(config())), torch.device("cpu"), 1)
    assert estimate.at_a_time(costs, gpus, cores) == expected


@pytest.mark.parametrize(
    ("machine", "named"),
    [
        (replace(MACHINE, cuda=None), "CPU build"),
        (MACHINE, "no NVIDIA driver"),
        (replace(MACHINE, driver=True), "not visible"),
    ],
)
def test_a_config_for_a_gpu_lacks_one(config, not_measured, machine, named):
    (sentence,) = findings(config(device="cuda"), machine).lacking
    assert "device is cuda" in sentence and named in sentence


def test_memory_and_disk_that_are_too_small_are_named(config, monkeypatch):
    monkeypatch.setattr("cut.metrics.inception.weights.cached_inception", lambda: None)
    monkeypatch.setattr(estimate, "measure", fake_step(memory=5 * 10**9, kept=10**18))
    lacking = findings(config()).lacking
    assert len(lacking) == 2
    assert "side by side" in lacking[0] and "disk of results" in lacking[1]


def test_the_disk_of_other_channels_and_depths_is_counted(config, tmp_path):
    rows = {"run": ["copy"], "methods": {}}

    def disk_bytes(**changes):
        plan = make_plan(read(config(**rows, **changes)))
        assert len(plan.runs()) == 1
        return plan, estimate.disk_bytes(plan, [])

    def expected(images, bytes_of_pixel):
        return round(images * 32 * 32 * bytes_of_pixel * estimate.PNG_SHARE)

    assert disk_bytes()[1] == expected(5, 3)
    source = write_set(tmp_path / "set", BANDS, BANDS)
    form = {"source": str(source), "channels": 4, "range": [-1, 3]}
    own = {"datasets": ["own"], "data_sources": {"own": form}}
    # 16 bits until the set is read; then the 32 of its files.
    plan, before = disk_bytes(**own)
    assert before == expected(COUNTS["testB"], 8)
    prepare(plan.entries["own"], tmp_path / "data" / "own")
    assert disk_bytes(**own)[1] == expected(COUNTS["testB"], 16)


@pytest.mark.parametrize(("load", "busy"), [(0.4, False), (3.0, True)])
def test_a_busy_machine_is_named_beside_the_time(config, not_measured, load, busy):
    lines = findings(config(), replace(MACHINE, load=load)).lines
    assert any("busy" in line for line in lines) == busy


def test_a_row_that_cannot_train_here_is_lacking(config, not_measured, monkeypatch):
    def measure(row, *given):
        raise UserError(f"row {row.name}: too large")

    monkeypatch.setattr(estimate, "measure", measure)
    assert findings(config()).lacking == ["row cut: too large", "row fastcut: too large"]


@pytest.mark.parametrize("package", ["torch", "Snakemake"])
def test_an_environment_that_is_not_activated_is_lacking(package, monkeypatch, config, capsys):
    programs = {**PROGRAMS, "Snakemake": None if package == "Snakemake" else "9.27.1"}
    machine = replace(MACHINE, torch=None if package == "torch" else "2.12.0", programs=programs)
    (sentence,) = doctor.about_machine(machine).lacking
    assert package in sentence
    if package == "torch":  # then no method can be imported, and the config is not looked at
        monkeypatch.setattr(doctor, "this_machine", lambda: machine)
        assert doctor.show(config(), 1) == 1


@pytest.mark.parametrize(("version", "old"), [("24.5.0", True), ("24.7.1", False), (None, False)])
def test_a_conda_that_snakemake_refuses_is_named(version, old):
    lines = doctor.about_machine(replace(MACHINE, programs={**PROGRAMS, "conda": version})).lines
    (line,) = [line for line in lines if line.startswith("conda: ")]
    assert ("too old" in line) == old


def test_a_gpu_is_shown_with_its_memory():
    lines = doctor.about_machine(replace(MACHINE, gpus=(GPU,))).lines
    assert "GPU 0: A GPU, 24.0 GB, 20.0 GB free" in lines


def test_this_machine_has_what_the_tests_run_with():
    machine = this_machine()
    assert machine.torch == torch.__version__.split("+")[0] or machine.torch == torch.__version__
    assert machine.cores >= 1 and 10**8 < machine.free <= machine.memory
    assert machine.programs["Snakemake"]
    assert len(machine.gpus) == torch.cuda.device_count()


def row_of(config, **changes):
    return make_plan(read(config(run=["cut"], methods={}, **changes))).rows["cut"]


def test_measuring_leaves_torch_as_it_was(config):
    row = row_of(config, training={"threads": 3, "precision": "tf32"})
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    matmul = torch.backends.cuda.matmul.allow_tf32
    measured = timing.measure(row, (32, 32), torch.device("cpu"), 0.05)
    assert measured.seconds > 0 and not measured.scaled
    assert measured.memory > 10**8 and 10**3 < measured.kept < 10**6
    assert torch.get_num_threads() == threads and torch.equal(torch.get_rng_state(), state)
    assert torch.backends.cuda.matmul.allow_tf32 == matmul


def test_a_step_that_takes_too_long_is_measured_at_half_the_side(config):
    row, device = row_of(config, size=128), torch.device("cpu")
    slow = timing.measure(row, (128, 128), device, 1e-9)
    whole = timing.measure(row, (128, 128), device, 2)
    assert slow.scaled and not whole.scaled
    assert 0.1 < slow.seconds / whole.seconds < 100  # the first step also sets up


def test_a_time_to_measure_of_nothing_is_refused():
    with pytest.raises(UserError, match="--seconds"):
        run_command("doctor", ["--seconds", "0"])


def test_a_python_without_the_dependencies_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cut.plan.doctor", None)
    with pytest.raises(UserError, match=f"{re.escape(sys.executable)}.* lacks"):
        run_command("doctor")


def test_a_step_that_becomes_a_graph_is_timed_as_one(monkeypatch):
    # The first steps and the capture take a hundred times as long.
    taken = iter([1.0] * 5 + [0.01] * timing.MOST_STEPS)
    monkeypatch.setattr(timing, "_timed", lambda loop, size: next(taken))
    loop = SimpleNamespace(captured=object(), crop=(256, 256))
    assert timing._step_seconds(loop, 2.0) == (0.01, 1.0)
