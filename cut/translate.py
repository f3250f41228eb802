"""Translate a data set's whole test set with a trained run.

    python -m cut.translate --dataset data/NAME/dataset.json --run RUN_DIR [--batch-size 8]

Writes `RUN_DIR/translated/NAME.png` for every test image and, last, `manifest.json` with the
digest of each.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from cut import snapshots
from cut.datasets import Dataset
from cut.device import choose_device
from cut.errors import UserError, command
from cut.files import read_json, sha256_of, write_json
from cut.images import write_png
from cut.methods import Method
from cut.train import build_method


def load_run(run: Path, weights: Path | None = None) -> tuple[dict[str, Any], Method]:
    """Return a finished run's record, and its method with trained weights: the last, or `weights`.

    Raises:
        UserError: the run is not finished, or the weights are another's or don't fit its options.
    """
    facts = read_json(run / "run.json")
    last = run / "generator.pt"
    weights = weights or last
    if weights == last:
        snapshots.verify(last, facts.get("generator_sha256", ""), run)
    method = build_method(facts["algorithm"], facts["options"], facts["seed"])
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
        method.load_generator_state(state)
    except (OSError, RuntimeError, KeyError, EOFError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{weights} doesn't hold the run's weights: {reason}") from None
    return facts, method


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


def main(argv: Sequence[str] | None = None) -> int:
    """Translate a run's test set."""
    parser = argparse.ArgumentParser(prog="python -m cut.translate")
    parser.add_argument("--dataset", type=Path, required=True, help="the data set's dataset.json")
    parser.add_argument("--run", type=Path, required=True, help="the run's folder")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    args = parser.parse_args(argv)
    if args.batch_size < 1:
        raise UserError(f"--batch-size is {args.batch_size}; give 1 or more")
    n = translate(Dataset.load(args.dataset), args.run, args.batch_size, choose_device(args.device))
    print(f"translated {n} images into {args.run / 'translated'}")
    return 0


if __name__ == "__main__":
    command(main)
