"""Results folders for the page's tests."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from fake_runs import write_best, write_images, write_run, write_test

ODD = 'a "50%" #1 <ü> & é\'s'  # a folder, or an image, may be called anything


def write_figure(path: Path) -> None:
    """Write a figure, and its PDF beside it."""
    write_images(path.parent / "made", 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path.parent / "made" / "img_0.png", path)
    shutil.rmtree(path.parent / "made")
    path.with_suffix(".pdf").write_bytes(b"%PDF-1.4\n")


def write_results(root: Path, dataset: str = "horse2zebra", truth: bool = True) -> list[Path]:
    """Write results as a workflow leaves them; return the runs' folders."""
    home = root / dataset
    write_test(home / "test", truth=truth)
    real = {"fid_low": 20.0, "fid_high": 30.0, "fid": 25.0}
    runs = [
        write_run(home / "copy" / "seed0", "copy", dataset=dataset, scores={"fid": 290.5}),
        write_run(
            home / "cut" / "seed0",
            "cut",
            dataset=dataset,
            scores={"fid": 171.7, "fid_low": 163.9, "fid_high": 179.8},
        ),
        write_run(home / "fastcut" / "seed0", "fastcut", dataset=dataset, scores={"fid": 97.0}),
        write_run(
            home / "none" / "seed0",
            "none",
            algorithm="cut",
            dataset=dataset,
            scores={"fid": None, "kid": None},
            missing={"fid": "no weights <here>"},
        ),
        write_run(home / "real" / "seed0", "real", dataset=dataset, scores=real),
    ]
    best = write_best(runs[1], {2: 150.25, 3: 171.7}) / "best" / "translated"
    write_images(best, stripes=True)
    write_figure(root / "figures" / f"{dataset}-curves.png")
    (root / "tables").mkdir(exist_ok=True)
    (root / "tables" / f"{dataset}.md").write_text("table")
    return runs


def write_many(root: Path, images: int = 1000, methods: int = 6) -> list[Path]:
    """Write results of many images per method, all the same few bytes; return the runs."""
    home = root / "coats2stripes"
    picture = (write_test(home / "test") / "source" / "img_0.png").read_bytes()
    runs = [write_run(home / f"m{i}" / "seed0", f"m{i}", algorithm="cut") for i in range(methods)]
    folders = [home / "test" / "source", home / "test" / "truth"]
    for folder in [*folders, *(run / "translated" for run in runs)]:
        for old in folder.glob("*.png"):
            old.unlink()
        for i in range(images):
            (folder / f"n0238146_{i:05}.png").write_bytes(picture)
    return runs


def write_ablation(
    root: Path, datasets: Sequence[str] = ("horse2zebra", "cityscapes"), seeds: Sequence[int] = (0,)
) -> list[Path]:
    """Write results of an ablation with best epochs and every score, one row collapsed; return
    the runs.
    """
    base = {"identity": True, "n_patches": 256, "nce_layers": [0, 8, 16], "lambda_nce": 1.0}
    bank = {"negatives": "external", "n_external": 0, "bank_size": 2048}
    rows = {
        "cut": ({}, 45.0),
        "no-id-15neg": ({"identity": False, "n_patches": 16}, 44.0),
        "last": ({"nce_layers": [16]}, 440.0),
        "no-id": ({"identity": False}, 39.0),
        "ext-only": (bank, 53.0),
    }
    every = dict.fromkeys(
        (
            "fid_infinity",
            "sfid",
            "precision",
            "recall",
            "density",
            "coverage",
            "mind",
            "mmd",
            "vendi",
            "perceptual",
            "self_similarity",
        ),
        0.5,
    )
    runs = []
    for dataset in datasets:
        home = root / dataset
        write_test(home / "test", truth=False)
        far = {"fid": 290.0, "fid_low": 280.0, "fid_high": 300.0}
        runs.append(write_run(home / "copy" / "seed0", "copy", dataset=dataset, scores=far))
        for row, (changes, fid) in rows.items():
            for seed in seeds:
                fid += seed
                scores = {**every, "fid": fid, "fid_low": fid - 4, "fid_high": fid + 4}
                scores |= {"miou": 0.2 + seed / 100} if dataset == "cityscapes" else {}
                run = write_run(
                    home / row / f"seed{seed}",
                    row,
                    dataset=dataset,
                    seed=seed,
                    algorithm="moco" if "negatives" in changes else "cut",
                    scores=scores,
                    options=base | changes,
                )
                write_images(write_best(run, {2: fid - 1, 3: fid}) / "best" / "translated")
                runs.append(run)
    return runs


def to_images(page) -> None:
    """Scroll to the images and wait until they are built."""
    page.locator("#images").scroll_into_view_if_needed()
    page.wait_for_selector("#grid tbody tr")
    page.evaluate("document.documentElement.style.scrollBehavior = 'auto'")
