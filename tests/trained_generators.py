"""Folders of finished runs with a small generator, without any training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fake_runs import write_run
from small_methods import build

from cut.base.files import sha256_of
from cut.base.image_form import DEFAULT, Images, other_form
from cut.base.tensor_files import save_tensors

GAIN = 0.3  # of the weights, so that a translation is not the same grey everywhere


OPTIONS = {"init_gain": GAIN, "n_blocks": 1, "nce_layers": [0]}  # of CUT


def write_generator(
    run: Path,
    method: str = "cut",
    seed: int = 0,
    noise: float | None = None,
    images: Images = DEFAULT,
    **facts: Any,
) -> Path:
    """Write a run with a generator of random weights; `facts` replace fields of `run.json`.

    `noise` is the weight of SinCUT's noise, which starts at zero.
    """
    built = build(method, seed, images, **(OPTIONS if method == "cut" else {}))
    for domain in ("source", "target"):
        form = other_form(getattr(images, domain))
        facts[f"{domain}_form"] = form and form.model_dump(mode="json")
    run.mkdir(parents=True)
    state = built.generator_state()
    for name in state if noise is not None else ():
        if name.endswith("noise.weight"):
            state[name].fill_(noise)
    save_tensors(run / "generator.pt", state)
    digest = sha256_of(run / "generator.pt")
    options = built.options.model_dump(mode="json")
    return write_run(
        run, method, options=options, generator_sha256=digest, images=0, points=2, **facts
    )
