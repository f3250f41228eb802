"""Folders of finished runs with a small generator, without any training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fake_runs import write_run
from small_methods import build

from cut.base.files import sha256_of
from cut.base.tensor_files import save_tensors

GAIN = 0.3  # of the weights, so that a translation is not the same grey everywhere


def write_generator(run: Path, method: str = "cut", seed: int = 0, **facts: Any) -> Path:
    """Write a run with a generator of random weights; `facts` replace fields of `run.json`."""
    built = build(method, seed, **({"init_gain": GAIN} if method == "cut" else {}))
    run.mkdir(parents=True)
    save_tensors(run / "generator.pt", built.generator_state())
    digest = sha256_of(run / "generator.pt")
    options = built.options.model_dump(mode="json")
    return write_run(
        run, method, options=options, generator_sha256=digest, images=0, points=2, **facts
    )
