"""Translate a data set's whole test set with a trained run."""

from __future__ import annotations

from pathlib import Path

import torch

from cut.base.errors import UserError
from cut.base.files import sha256_of, write_json
from cut.base.images import write_png
from cut.data.dataset import Dataset
from cut.training.trained_run import load_run


def translate(
    dataset: Dataset,
    run: Path,
    batch_size: int,
    device: torch.device,
    place: Path | None = None,
    epoch: dict[str, int] | None = None,
) -> int:
    """Translate the test set into `translated/` of `place` (default: `run`); return the number.

    The weights are `place`'s own; `epoch` says of which epoch and iteration, if not the last.
    """
    place = place or run
    facts, method = load_run(run, place / "generator.pt")
    if facts["dataset_digest"] != dataset.digest:
        raise UserError(f"{run} was trained on another version of {dataset.name}; train it again")
    out = place / "translated"
    out.mkdir(parents=True, exist_ok=True)
    (out / "manifest.json").unlink(missing_ok=True)
    for stale in out.glob("*.png"):
        stale.unlink()
    method.to(device).train(False)
    digests = {}
    for name, image in method.outputs(dataset, tuple(facts["size"]), batch_size):
        path = out / f"{name}.png"
        write_png(path, image)
        digests[path.name] = sha256_of(path)
    same = ("dataset", "dataset_digest", "method", "algorithm", "seed", "size")
    header = {key: facts[key] for key in same}
    header |= {"split": "test", "epoch": facts["epochs"], "iteration": facts["iterations"]}
    write_json(out / "manifest.json", {**header, **(epoch or {}), "images": digests})
    return len(digests)
