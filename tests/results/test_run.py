"""Runs: what is read from a folder, and where each value stands."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from fake_runs import change_record, write_best, write_run, write_test

from cut.base.errors import UserError
from cut.metrics.catalogue import METRICS
from cut.metrics.inception.extract import Extractor
from cut.metrics.inception.weights import WeightsUnavailable
from cut.metrics.score import Partners, score
from cut.results.run import NOT_FOLLOWED, NOT_TRAINED, OTHER_SCENES, OWN_CODE, load_run


def test_values_are_in_the_metrics_units(tmp_path):
    run = load_run(write_run(tmp_path / "run", scores={"fid": 70.5}))
    assert run.value("fid") == (70.5, "")
    assert run.value("peak_memory_gb") == (0.512, "")
    assert run.value("images") == (1000.0, "")
    assert run.value("seconds_per_iteration") == (0.1234, "")
    assert run.role == "method" and not run.control and run.translates


def test_every_metric_has_a_value_or_a_reason(tmp_path):
    for name in ("copy", "cut", "real"):
        run = load_run(write_run(tmp_path / name, name))
        for metric in METRICS:
            value, reason = run.value(metric)
            assert (value is None) == bool(reason), (name, metric)


def test_a_missing_score_has_its_reason(tmp_path):
    folder = write_run(tmp_path / "run", scores={"fid": None}, missing={"fid": "no weights"})
    assert load_run(folder).value("fid") == (None, "no weights")


def test_controls_have_no_training_and_the_ceiling_no_counterparts(tmp_path):
    copy = load_run(write_run(tmp_path / "copy", "copy"))
    real = load_run(write_run(tmp_path / "real", "real"))
    assert copy.control and copy.value("seconds_per_iteration") == (None, NOT_TRAINED)
    assert copy.value("l1") == (0.1, "")
    assert real.control and not real.translates and real.value("l1") == (None, OTHER_SCENES)


def test_the_role_decides_and_not_the_name(tmp_path):
    floor = load_run(write_run(tmp_path / "a", "blank", role="floor", iterations=0))
    named = load_run(write_run(tmp_path / "b", "copy", algorithm="cut"))
    assert floor.control and floor.translates and not named.control


def test_a_method_of_own_commands_has_no_measured_cost(tmp_path):
    run = load_run(write_run(tmp_path / "run", external=True))
    assert run.value("seconds_per_iteration") == run.value("fid_best") == (None, OWN_CODE)


def test_the_best_epoch_has_scores_of_its_own(tmp_path):
    folder = write_run(tmp_path / "run", scores={"fid": 61.0})
    assert load_run(folder).value("fid_best") == (None, NOT_FOLLOWED)
    run = load_run(write_best(folder, {2: 58.5, 3: 61.0}))
    assert run.value("fid_best") == (58.5, "") and run.value("epoch_best") == (2.0, "")
    assert run.value("fid") == (61.0, "")


def test_a_best_epoch_of_an_earlier_training_is_ignored(tmp_path):
    folder = write_best(write_run(tmp_path / "run", fingerprint="ab"), {2: 58.5})
    change_record(folder / "best.json", fingerprint="cd")
    assert load_run(folder).best is None


def test_best_scores_of_another_epoch_are_refused(tmp_path):
    folder = write_best(write_run(tmp_path / "run"), {2: 58.0, 5: 70.0})
    path = folder / "best" / "scores.json"
    translated = json.loads(path.read_text())["translated"]
    change_record(path, translated={**translated, "epoch": 4})
    with pytest.raises(UserError, match="epoch 4"):
        load_run(folder)


@pytest.mark.parametrize("name", ["run.json", "scores.json"])
@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}"])
def test_a_missing_or_garbled_file_is_named(tmp_path, name, content):
    folder = write_run(tmp_path / "run")
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(UserError, match=name):
        load_run(folder)


def test_scores_of_another_runs_translations_are_refused(tmp_path):
    folder, other = write_run(tmp_path / "a"), write_run(tmp_path / "b", seed=7)
    (folder / "scores.json").write_text((other / "scores.json").read_text())
    with pytest.raises(UserError, match="seed 7"):
        load_run(folder)


def test_what_scoring_writes_is_read(tmp_path):
    folder, images = write_run(tmp_path / "run"), write_test(tmp_path / "test")
    given = (folder / "translated").rename(tmp_path / "given")  # of no run, so without manifest
    (given / "manifest.json").unlink()
    extractor = Extractor(WeightsUnavailable("no weights for this test"))
    partners = Partners(truth=images / "truth")
    record = score(images / "target", given, partners, extractor)
    record.write(folder / "scores.json")
    run = load_run(folder)
    assert (run.protocol.fake.images, run.protocol.real.images) == (4, 6)
    assert run.value("fid") == (None, "no weights for this test")
    assert run.value("l1") == (0.0, "") and run.value("ssim")[0] == pytest.approx(1.0)


MODULES = [
    "cut.results.comparison",
    "cut.results.ablation",
    "cut.report.collect",
    "cut.report.dataset_tables",
    "cut.report.overview_table",
    "cut.report.seed_tables",
    "cut.report.figures.main",
    "cut.report.site.page",
]


def test_results_and_report_load_no_torch():
    code = f"import sys\nfor name in {MODULES!r}:\n    __import__(name)\n"
    code += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_tables_and_page_load_no_matplotlib():
    names = [name for name in MODULES if "figures" not in name]
    code = f"import sys\nfor name in {names!r}:\n    __import__(name)\n"
    code += "sys.exit(bool({'matplotlib', 'seaborn'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
