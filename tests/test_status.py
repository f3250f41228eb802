"""What `cut.status` says of a benchmark's runs."""

from __future__ import annotations

import yaml
from fake_runs import write_run

from cut import status
from cut.finished import only_one

LINE = "epoch 3/12  step 1200/4800  D 0.1  G 0.2  16.4 images/s  4.2 min left\n"


def config(folder, run, **more):
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({"datasets": ["coats2stripes"], "run": run, **more}))
    return path


def test_every_state_is_told_apart(tmp_path, capsys):
    runs = tmp_path / "results" / "coats2stripes"
    logs = tmp_path / "results" / "logs"
    logs.mkdir(parents=True)
    write_run(runs / "cut" / "seed0", "cut")
    translated = write_run(runs / "copy" / "seed0", "copy")
    (translated / "scores.json").unlink()
    (logs / "coats2stripes.copy.seed0.score.log").write_text("loading\nerror: features are bad\n")
    (logs / "coats2stripes.cyclegan.seed0.train.log").write_text("error: loss G is nan\n")
    stopped = runs / "gcgan" / "seed0" / "state"
    stopped.mkdir(parents=True)
    (stopped / "abc.pt").touch()
    (logs / "coats2stripes.gcgan.seed0.train.log").write_text(LINE + "stopped by signal 15\n")
    (logs / "coats2stripes.fastcut.seed0.train.log").write_text(LINE)
    file = config(tmp_path, ["copy", "cut", "fastcut", "cyclegan", "gcgan", "moco"])
    with only_one(runs / "fastcut" / "seed0"):
        assert status.main([str(file), "--directory", str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    said = {line.split("/")[1]: " ".join(line.split()[1:]) for line in lines[:-1]}
    assert said == {
        "copy": "failed features are bad",
        "cut": "done",
        "fastcut": "training epoch 3/12 step 1200/4800 4.2 min left",
        "cyclegan": "failed loss G is nan",
        "gcgan": "stopped epoch 3/12 step 1200/4800",
        "moco": "waiting",
    }
    assert lines[-1] == "2 failed, 1 done, 1 training, 1 stopped, 1 waiting"


def test_looking_takes_no_lock(tmp_path):
    with only_one(tmp_path):
        assert status.locked(tmp_path)
    assert not status.locked(tmp_path)
    with only_one(tmp_path):
        pass


def test_a_finished_benchmark_exits_with_zero(tmp_path, capsys):
    write_run(tmp_path / "results" / "coats2stripes" / "cut" / "seed0", "cut")
    assert status.main([str(config(tmp_path, ["cut"])), "--directory", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 done"


def test_a_run_that_is_followed_is_done_when_its_best_epoch_is_scored(tmp_path, capsys):
    runs = tmp_path / "results" / "coats2stripes"
    for name in ("copy", "cut"):
        write_run(runs / name / "seed0", name)
    file = config(tmp_path, ["copy", "cut"], best={"every": 2})
    arguments = [str(file), "--directory", str(tmp_path)]
    assert status.main(arguments) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 done, 1 scored"
    logs = tmp_path / "results" / "logs"
    logs.mkdir()
    (logs / "coats2stripes.cut.seed0.select.log").write_text("error: epoch0002.pt is gone\n")
    assert status.main(arguments) == 1
    assert "failed      epoch0002.pt is gone" in capsys.readouterr().out
    best = runs / "cut" / "seed0" / "best"
    best.mkdir()
    (best / "scores.json").write_text("{}")
    assert status.main(arguments) == 0
