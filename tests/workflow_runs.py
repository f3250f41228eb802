"""Running Snakemake in a folder of its own, for the tests of the workflow."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml
from conftest import ROOT

TINY = {
    "datasets": ["coats2stripes"],
    "data_sources": {"coats2stripes": {"size": 32, "train": 8, "test": 5}},
    "size": 32,
    "run": ["copy", "cut", "fastcut", "real"],
    "options": {
        "ngf": 4,
        "ndf": 4,
        "n_blocks": 1,
        "nce_layers": [0, 4, 8],
        "n_patches": 8,
        "width": 8,
    },
    "scoring_threads": 1,
    "training": {"epochs_constant": 2, "epochs_decay": 1, "log_every": 4},
    "best": {"every": 2, "held_out": 2},
}


SNAKEMAKE = str(Path(sys.executable).parent / "snakemake")


def snakemake(folder: Path, *arguments: str, config: dict | None = None):
    """Run Snakemake in `folder` on `config`, or on the one that was run there last."""
    process = start(folder, *arguments, config=config)
    output, _ = process.communicate(timeout=1500)
    return process.returncode, output


def start(folder: Path, *arguments: str, config: dict | None = None) -> subprocess.Popen:
    folder.mkdir(parents=True, exist_ok=True)
    if config is not None:
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
    config_file = folder / "config.yaml"
    command = [
        SNAKEMAKE,
        f"--snakefile={ROOT / 'Snakefile'}",
        f"--directory={folder}",
        f"--configfile={config_file}",
        "--cores=2",
        *arguments,
    ]
    # Jobs have to find the checkout by themselves: they run in `folder`.
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**env, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def job_counts(output: str) -> dict[str, int]:
    """Return the table of jobs that a dry run prints."""
    table = output.partition("Job stats:")[2]
    return {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}
