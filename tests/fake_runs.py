"""Run folders such as training, translating and scoring leave, without doing any of it."""

from __future__ import annotations

import csv
import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

LOSSES = {"cut": ["G_GAN", "D_real", "D_fake", "NCE", "NCE_Y", "G"],
          "fastcut": ["G_GAN", "D_real", "D_fake", "NCE", "G"]}  # fmt: skip
TRAINING = {"epochs_constant": 2, "epochs_decay": 1, "batch_size": 1}
WEIGHTS = {"source": "a file", "tensors_sha256": "ab" * 32}


def protocol(**changes: Any) -> dict[str, Any]:
    """Return a protocol as scoring writes it; `changes` are those of the real side."""
    features = {"size": [48, 48], "extractor": "pytorch-fid InceptionV3, pool3",
                "resize": "bilinear to 299x299", "dims": 2048, "weights": WEIGHTS}  # fmt: skip
    return {
        "real": {"images": 6, "images_sha256": "12" * 32, **features, **changes},
        "fake": {"images": 4, "images_sha256": "34" * 32, **features},
        "weights": WEIGHTS,
        "kid": {"subsets": 100},
    }


def picture(i: int, stripes: bool = False, size: int = 24) -> Image.Image:
    """Return a small image that differs with `i`."""
    y, x = np.mgrid[:size, :size]
    pixels = np.stack([y * 9 % 256, x * 7 % 256, (x + y + 40 * i) % 256], -1).astype(np.uint8)
    if stripes:
        pixels[:, ::4] = 0
    return Image.fromarray(pixels)


def write_images(folder: Path, n: int = 4, **how: Any) -> Path:
    """Write `n` images called img_0.png … into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        picture(i, **how).save(folder / f"img_{i}.png")
    return folder


def write_test(root: Path, truth: bool = True) -> Path:
    """Write prepared test images; return their folder."""
    write_images(root / "source")
    write_images(root / "target", 6, stripes=True)
    if truth:
        write_images(root / "truth", stripes=True)
    return root


def history(losses: list[str], n: int, weight: float, seed: int) -> list[dict[str, float]]:
    """Return `n` rows of plausible losses."""
    rng = random.Random(seed)
    ends = {"G_GAN": 0.3, "D_real": 0.22, "D_fake": 0.2, "NCE": 2.5, "NCE_Y": 1.9, "G": 4}
    rows = []
    for i in range(n):
        row = {"iteration": 10 * (i + 1), "epoch": math.ceil(3 * (i + 1) / n), "lr_factor": 1.0,
               "images_per_second": 20.0}  # fmt: skip
        for name in losses:
            scale = weight if name.startswith("NCE") else 1
            noise = 1 + 0.15 * rng.gauss(0, 1)
            row[name] = scale * ends[name] * (1 + math.exp(-8 * i / n)) * noise
        rows.append(row)
    return rows


def write_run(
    folder: Path,
    method: str = "cut",
    *,
    algorithm: str = "",
    dataset: str = "coats2stripes",
    seed: int = 0,
    scores: dict[str, float | None] | None = None,
    missing: dict[str, str] | None = None,
    scored_by: dict[str, Any] | None = None,
    points: int = 100,
    images: int = 4,
    **facts: Any,
) -> Path:
    """Write a run folder; `facts` replace those of `run.json`. Return the folder."""
    algorithm = algorithm or method
    trained = algorithm not in ("copy", "real")
    folder.mkdir(parents=True, exist_ok=True)
    weight = 10.0 if algorithm == "fastcut" else 1.0
    run = {
        "dataset": dataset, "dataset_digest": "d" * 64, "method": method, "algorithm": algorithm,
        "role": {"copy": "floor", "real": "ceiling"}.get(algorithm, "method"),
        "description": "", "seed": seed,
        "options": {"ngf": 16, "n_patches": 64, "lambda_nce": weight} if trained else {},
        "training": TRAINING if trained else {},
        "size": [48, 48], "epochs": 3 if trained else 0,
        "iterations": 10 * points if trained else 0, "images_seen": 10 * points if trained else 0,
        "seconds_per_iteration": 0.1234 if trained else None, "train_seconds": 12.0,
        "peak_memory_bytes": 512_000_000, "peak_memory_kind": "rss", "device": "cpu",
        "hardware": {"cpu": "Example CPU & Co", "threads": 1}, "versions": {"torch": "2.12.0"},
        "code_digest": "c" * 64,
    } | facts  # fmt: skip
    (folder / "run.json").write_text(json.dumps(run))
    losses = LOSSES.get(algorithm, LOSSES["cut"]) if trained else []
    columns = ["iteration", "epoch", "lr_factor", "images_per_second", *losses]
    with open(folder / "history.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(history(losses, points, weight, seed) if trained else [])
    header = {key: run[key] for key in ("dataset", "dataset_digest", "method", "seed", "size")}
    header |= {"algorithm": algorithm, "split": "test", "epoch": run["epochs"]}
    if images:
        write_images(folder / "translated", images, stripes=True)
        (folder / "translated" / "manifest.json").write_text(json.dumps({**header, "images": {}}))
    given = {"fid": 61.25, "kid": 0.0123, "kid_std": 0.001, "l1": 0.1, "ssim": 0.7}
    given |= scores or {}
    content = {
        "scores": given, "fid": given["fid"], "missing": missing or {},
        "protocol": protocol() if scored_by is None else scored_by, "translated": header,
    }  # fmt: skip
    (folder / "scores.json").write_text(json.dumps(content))
    return folder


def write_best(run: Path, epochs: dict[int, float], on: str = "test") -> Path:
    """Write what choosing the best of `epochs` (epoch: FID) leaves in a run; return the run."""
    facts = json.loads((run / "run.json").read_text())
    lines = [f"{epoch},{epoch * 400},{fid},0.01,{fid + 5 if on == 'held_out' else ''}"
             for epoch, fid in epochs.items()]  # fmt: skip
    head = "epoch,iteration,fid,kid,fid_held_out"
    (run / "epochs.csv").write_text("\n".join([head, *lines, ""]))
    epoch = min(epochs, key=lambda e: epochs[e])
    choice = {"epoch": epoch, "iteration": epoch * 400, "chosen_on": on, "images": 4, "every": 2,
              "fid": epochs[epoch], "missing": None}  # fmt: skip
    choice |= {"fingerprint": facts.get("fingerprint", "")}
    (run / "best.json").write_text(json.dumps(choice))
    scores = json.loads((run / "scores.json").read_text())
    scores["scores"]["fid"] = scores["fid"] = epochs[epoch]
    scores["translated"]["epoch"] = epoch
    (run / "best").mkdir(exist_ok=True)
    (run / "best" / "scores.json").write_text(json.dumps(scores))
    return run
