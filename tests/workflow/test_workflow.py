"""The workflow through real Snakemake, on small real files."""

from __future__ import annotations

import csv
import html
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from chaos import kills
from chaos.digests import digests
from conftest import ROOT, SHARED
from PIL import Image
from workflow_runs import SNAKEMAKE, TINY, job_counts, snakemake, start

from cut.base.files import sha256_of
from cut.records.job import JobRecord
from cut.report.site.listings import caption_of

# One worker runs these in order: they share what the first one makes.
pytestmark = [pytest.mark.xdist_group("workflow"), pytest.mark.slow]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the folder of a tiny benchmark that ran to its end."""
    folder = tmp_path_factory.mktemp("benchmark")
    code, output = snakemake(folder, config=TINY)
    assert code == 0, output
    return folder


def test_a_whole_benchmark_leaves_tables_and_figures(finished):
    results = finished / "results"
    with (results / "tables" / "coats2stripes.csv").open() as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["copy", "cut", "fastcut", "real"]
    found = json.loads((finished / "data" / "inception.json").read_text())["path"] is not None
    for name, row in rows.items():
        assert found == bool(row["fid"]), (name, row["missing"])
        assert bool(row["l1"]) == (name != "real")
    if not found:
        assert "fid: " in rows["cut"]["missing"]
    assert float(rows["cut"]["seconds_per_iteration"]) > 0
    for end in ("md", "tex"):
        assert "fastcut" in (results / "tables" / f"coats2stripes.{end}").read_text()
    for figure in ("grid", "curves", "stability", "cost", "content", "cases", "encoder"):
        assert (results / "figures" / f"coats2stripes-{figure}.pdf").read_bytes()[:4] == b"%PDF"
        assert Image.open(results / "figures" / f"coats2stripes-{figure}.png").width > 400
    page = (results / "site" / "index.html").read_text()
    for link in ("figures/coats2stripes-grid.pdf", "tables/coats2stripes.tex"):
        assert f'href="../{link}"' in page


def test_the_page_follows_its_inputs(finished):
    scores = finished / "results" / "coats2stripes" / "cut" / "seed0" / "scores.json"
    figure = finished / "results" / "figures" / "coats2stripes-curves.png"
    for changed in (scores, figure):
        kept, times = changed.read_bytes(), changed.stat()
        changed.write_bytes(kept + b"\n")
        code, output = snakemake(finished, "--dry-run")
        changed.write_bytes(kept)
        os.utime(changed, ns=(times.st_atime_ns, times.st_mtime_ns))
        assert code == 0, output
        assert job_counts(output)["site"] == 1, changed


def test_a_run_folder_holds_the_documented_files(finished):
    run = finished / "results" / "coats2stripes" / "cut" / "seed0"
    names = {path.name for path in run.iterdir() if not path.name.startswith(".")}
    scored = {"generator.pt", "translated", "scores.json", "features.npz", "resamples.csv"}
    trained = {"request.json", "run.json", "history.csv", "embedding.pt", "trained", "snapshots"}
    assert names == scored | trained | {"epochs.csv", "best.json", "best"}
    assert {path.name for path in (run / "best").iterdir()} == scored
    manifest = json.loads((run / "translated" / "manifest.json").read_text())
    assert len(manifest["images"]) == 5
    scores = json.loads((run / "scores.json").read_text())
    assert scores["translated"]["method"] == "cut" and scores["translated"]["epoch"] == 3


def test_the_best_epoch_is_chosen_on_held_out_images(finished):
    results = finished / "results"
    held = json.loads((results / "coats2stripes" / "held_out" / "manifest.json").read_text())
    assert held["counts"] == {"source": 2, "target": 2}
    with (results / "tables" / "coats2stripes.csv").open() as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    for name in ("cut", "fastcut"):
        run = results / "coats2stripes" / name / "seed0"
        assert json.loads((run / "run.json").read_text())["iterations"] == 3 * (8 - 2)
        with (run / "epochs.csv").open() as file:
            epochs = {int(row["epoch"]): row for row in csv.DictReader(file)}
        assert list(epochs) == [2, 3]
        best = json.loads((run / "best.json").read_text())
        assert best["chosen_on"] == "held_out" and best["images"] == 2
        if best["missing"]:
            continue
        assert best["fid"] == min(float(row["fid_held_out"]) for row in epochs.values())
        scored = float(epochs[best["epoch"]]["fid"])
        assert float(rows[name]["fid_best"]) == pytest.approx(scored, rel=1e-4)


def test_a_method_of_commands_stands_beside_the_others(tmp_path):
    rows = {"half": {"method": "reinhard", "options": {"strength": 0.5}}}
    config = {**TINY, "run": ["copy", "reinhard", "half"], "methods": rows}
    config["extra_scores"] = ["memorised"]  # its training images are exported for reinhard
    config.pop("options")
    code, output = snakemake(tmp_path, config=config)
    assert code == 0, output
    with (tmp_path / "results" / "tables" / "coats2stripes.csv").open() as file:
        l1 = {row["method"]: float(row["l1"]) for row in csv.DictReader(file)}
    assert l1["copy"] != l1["half"] != l1["reinhard"]
    run = tmp_path / "results" / "coats2stripes" / "half" / "seed0"
    scored = json.loads((run / "scores.json").read_text())
    if scored["scores"]["fid"] is not None:
        assert scored["scores"]["memorised"] is not None
        assert scored["protocol"]["training"]["images"] == 8 - 2, "two are held out"
    colours = json.loads((run / "model" / "colours.json").read_text())
    assert len(colours["mean"]) == 3, "what the training command left is kept"
    code, output = snakemake(tmp_path)
    assert code == 0 and "Nothing to be done" in output


CONDA = """#!/bin/sh
case "$*" in
  "info --json") echo '{"conda_prefix": "/nowhere", "platform": "linux-64"}' ;;
  "--version") echo "conda 25.1.0" ;;
  "config "*) echo '{"get": {"channel_priority": "strict"}}' ;;
esac
"""


def test_commands_get_their_own_conda_environment(tmp_path, monkeypatch):
    """Seen from the plan that Snakemake makes; a stand-in answers what it asks of conda."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "conda").write_text(CONDA)
    (tmp_path / "bin" / "conda").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    config = {**TINY, "run": ["copy", "reinhard"]}
    config.pop("options")
    code, output = snakemake(tmp_path / "run", "--use-conda", "-n", config=config)
    assert code == 0, output
    made = re.findall(r"Conda environment (\S+) will be created", output)
    places = {str(Path(os.path.normpath(path)).relative_to(ROOT)) for path in made}
    assert places == {"environment.yml", "baselines/reinhard/environment.yaml"}


def test_a_missing_translation_stops_the_run(tmp_path):
    """The checkout's baselines/ stay as they are: the faulty one lies in a copy of the project."""
    project = tmp_path / "project"
    for name in ("workflow", "cut", "baselines"):
        shutil.copytree(ROOT / name, project / name)
    for name in ("Snakefile", "environment.yml"):
        shutil.copy(ROOT / name, project)
    spec = project / "baselines" / "reinhard" / "method.yaml"
    config = {**TINY, "run": ["reinhard"]}
    config.pop("options")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))

    def run(translate):
        spec.write_text(yaml.safe_dump({"summary": "x", "translate": translate}))
        command = [SNAKEMAKE, "--directory", str(tmp_path), "--cores=2", "--configfile"]
        return subprocess.run(
            [*command, str(tmp_path / "config.yaml")],
            cwd=project,
            check=False,
            env={**os.environ, "PYTHONPATH": str(project), "PYTHONNOUSERSITE": ""},
            capture_output=True,
            text=True,
        ).returncode

    # A step that fails ends the command, whatever comes after it.
    assert run("false; cp {input}/*.png {output}") != 0
    logs = tmp_path / "results" / "logs"
    log = (logs / "coats2stripes.reinhard.seed0.translate.log").read_text()
    assert log == "error: the command ended with status 1\n"
    job = JobRecord.read(logs / "coats2stripes.reinhard.seed0.translate.log.json")
    assert (job.state, job.reason) == ("failed", "the command ended with status 1")
    assert run('test "$PYTHONNOUSERSITE" = 1; cp {input}/0000.png {output}') != 0
    log = (logs / "coats2stripes.reinhard.seed0.record.log").read_text()
    assert "lacks 0001.png (4 of 5 missing)" in log


def test_a_second_run_has_nothing_to_do(finished):
    code, output = snakemake(finished)
    assert code == 0 and "Nothing to be done" in output


def test_a_changed_option_reruns_its_row_alone(finished):
    changed = {**TINY, "methods": {"fastcut": {"options": {"tau": 0.1}}}}
    refused, sentence = snakemake(finished, "--dry-run", config=changed)
    code, output = snakemake(finished, "--dry-run", "--config", "replace=true")
    (finished / "config.yaml").write_text(yaml.safe_dump(TINY))
    assert refused != 0 and "tau 0.07, now 0.1" in sentence and "Traceback" not in sentence
    assert code == 0, output
    counts = job_counts(output)
    assert (counts["train"], counts["translate"], counts["score"]) == (1, 1, 1)
    assert counts["select"] == counts["score_best"] == 1
    assert "dataset" not in counts


def test_a_failed_change_is_not_done_at_the_next_call(finished, tmp_path):
    """Snakemake restores the outputs of the training before and forgets the options of it."""
    folder = shutil.copytree(finished, tmp_path / "copy")
    options = {**TINY["options"], "tau": 1e-42}
    failing = {**TINY, "methods": {"cut": {"options": options}}, "replace": True}
    code, _ = snakemake(folder, config=failing)
    assert code != 0
    code, output = snakemake(folder, "--dry-run")
    assert code == 0 and job_counts(output)["train"] == 1, output


def test_the_report_holds_tables_and_figures_with_captions(finished):
    code, output = snakemake(finished, "--report", "report.html")
    assert code == 0, output
    page = (finished / "report.html").read_text()
    kinds = ("grid", "curves", "stability", "cost", "content", "cases", "encoder")
    for name in ("scores.csv", *(f"coats2stripes-{kind}.png" for kind in kinds)):
        assert name in page
    site = (finished / "results" / "site" / "index.html").read_text()

    def letters(text):
        """Leave out line breaks, which stand in the report's JSON as two letters, and marks."""
        return re.sub(r"[^a-z]", "", html.unescape(text.replace("\\n", " ")).lower())

    for kind in kinds:
        said = letters(caption_of(kind))
        assert said and said in letters(page), f"the report has no caption of {kind}"
        assert said in letters(site), f"the page has no caption of {kind}"


def test_a_killed_benchmark_continues_to_the_same_weights(finished, tmp_path):
    # A state after every step, so that there is one whenever the kill comes.
    slow = {**TINY, "run": ["cut"], "training": {**TINY["training"], "checkpoint_minutes": 0}}
    process = start(tmp_path, "--until", "train", config=slow)
    run = tmp_path / "results" / "coats2stripes" / "cut" / "seed0"
    deadline = time.monotonic() + 300
    while not list(run.glob("state/*.pt")) and process.poll() is None:
        assert time.monotonic() < deadline, "the training saved no state"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (run / "run.json").exists(), "killed too late to show anything"
    code, output = snakemake(tmp_path, "--until", "train")
    assert code == 0, output
    log = tmp_path / "results" / "logs" / "coats2stripes.cut.seed0.train.log"
    assert "continuing from step" in log.read_text()
    straight = finished / "results" / "coats2stripes" / "cut" / "seed0"
    for name in ("generator.pt", "snapshots/epoch0002.pt"):
        assert sha256_of(run / name) == sha256_of(straight / name)


def test_kills_at_random_moments_lose_nothing(finished, tmp_path):
    config = {**TINY, "run": ["cut"]}
    config["training"] = {**TINY["training"], "checkpoint_minutes": 0}
    lines = []
    tally = kills.campaign(
        tmp_path,
        kills=3,
        longest=12,
        config=config,
        expected=digests(finished),
        names="data/|results/coats2stripes/(test|held_out|cut)/",
        say=lines.append,
    )
    assert (tally.kills, tally.lost) == (3, []), "\n".join(lines)


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"run": ["cutt"]}, "unknown method in run 'cutt'; did you mean 'cut'?"),
        ({"optionz": {}}, "unknown key of the config 'optionz'; did you mean 'options'?"),
        ({"datasets": ["horse2zebr"]}, "horse2zebr"),
    ],
)
def test_a_mistake_in_the_config_is_one_sentence(change, sentence, tmp_path):
    code, output = snakemake(tmp_path, "--dry-run", config={**TINY, **change})
    assert code != 0
    assert sentence in output
    assert len(output.splitlines()) < 40 and "Traceback" not in output


def test_a_broken_image_stops_before_training(pets, tmp_path):
    (pets / "trainB" / "003.png").write_bytes(b"")
    config = {**TINY, "datasets": ["pets"], "data_sources": {"pets": str(pets)}}
    code, output = snakemake(tmp_path, config=config)
    assert code != 0
    assert "003.png" in output and "rule train" not in output


def test_the_demo_plans_its_jobs():
    scores = {"fid": {"deviation": 20.5, "seeds": 5, "source": "one's own page"}}
    given = {"coats2stripes": {"cut": scores}}
    changed = ["--config", f"seed_deviation={json.dumps(given)}"]
    process = subprocess.run(
        [SNAKEMAKE, "--dry-run", "--forceall", "--cores", "2", "--printshellcmds", *changed],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    output = process.stdout + process.stderr
    (page,) = (line for line in output.splitlines() if "-m cut report page" in line)
    words = shlex.split(page)
    assert json.loads(words[words.index("--seed-deviation") + 1]) == given
    counts = job_counts(output)
    assert counts["train"] == counts["translate"] == counts["score"] == 4
    assert counts["select"] == counts["score_best"] == 2
    assert counts["all"] == counts["dataset"] == counts["tables"] == 1


def test_real_photographs_go_through_every_stage(shared_data, tmp_path):
    config = yaml.safe_load((ROOT / "config" / "horse2zebra-64.yaml").read_text())
    config["data_sources"] = {"horse2zebra": str(SHARED / "data" / "horse2zebra.zip")}
    config["run"] = ["copy", "cut", "real"]
    config["options"] = TINY["options"]
    config["training"] = {"epochs_constant": 1, "epochs_decay": 0, "batch_size": 64}
    config["best"]["held_out"] = 10  # for the time that scoring takes
    code, output = snakemake(tmp_path, config=config)
    assert code == 0, output
    table = tmp_path / "results" / "horse2zebra-64" / "tables" / "horse2zebra.csv"
    with table.open() as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert rows["cut"]["fid_published"] == "45.5"
    if rows["copy"]["fid"]:
        assert float(rows["real"]["fid"]) < 100 < float(rows["copy"]["fid"])
        assert float(rows["copy"]["fid"]) == pytest.approx(203.2, abs=0.1)  # docs/horse2zebra.md
    translated = tmp_path / "results/horse2zebra-64/horse2zebra/cut/seed0/translated"
    assert len(list(translated.glob("*.png"))) == 120
