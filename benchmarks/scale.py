"""Add up what the paper's tables cost on several GPUs, and time plans of many rows and images.

    python -m benchmarks.scale                     # hours, jobs, files and bytes of the configs
    python -m benchmarks.scale --rows 1000         # CPU time of a plan, resolved and remembered
    python -m benchmarks.scale --images 1000000    # CPU time and size of a data set's record
    python -m benchmarks.scale --names 1000000     # CPU time of a plan on a folder of so many names

A step takes as long as the paper says (Table 1, on its hardware; this project has not run the full
scale). Rows that the paper does not time take the time of CUT. Sizes of files are measured on a run
of CUT at 256 pixels. docs/scale.md reads the result.
"""

from __future__ import annotations

import argparse
import heapq
import math
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from cut.data.identity import source_digest
from cut.data.registry import Entry
from cut.plan.config import read
from cut.plan.inputs import check_inputs
from cut.plan.plan import Plan, make_plan
from cut.plan.rows import PlannedRow
from cut.records.dataset import DatasetRecord
from cut.results.published import published_number

ROOT = Path(__file__).resolve().parent.parent
CONFIGS = ("paper", "table1", "table1-cityscapes", "ablation")
SEEDS = [0, 1, 2]
GPUS = (1, 8, 64)
# Measured at 256 pixels: bytes of CUT's generator.pt, of a PNG (horse2zebra), of its features.
GENERATOR, PNG, FEATURES = 45_571_207, 130_000, 8_192
# Files of a run besides images and kept generators; tables, figures and page of a config.
OWN, SHARED = 18, 60


def seconds_per_step(row: PlannedRow) -> float:
    """Return the published time of a step of the row, or of CUT."""
    names = (row.name, row.algorithm, "cut")
    found = (published_number("horse2zebra", name, "seconds_per_iteration") for name in names)
    return next(number.value for number in found if number)


def epochs(row: PlannedRow) -> int:
    """Return the length of a row's training."""
    from cut.methods.registry import discover
    from cut.training.options import training_options

    return training_options(discover()[row.algorithm], row.training).epochs


def steps(row: PlannedRow, entry: Entry) -> int:
    """Return the number of steps of a training."""
    counts = entry.expected_counts()
    batch = row.training.get("batch_size", 1)
    return epochs(row) * math.ceil(max(counts["trainA"], counts["trainB"]) / batch)


def trainings(plan: Plan) -> list[float]:
    """Return the hours of each training."""
    parts = [Path(run).parts for run in plan.runs()]
    pairs = [(plan.rows[row], plan.entries[dataset]) for *_, dataset, row, _ in parts]
    return [seconds_per_step(r) * steps(r, e) / 3600 for r, e in pairs if r.trained]


def makespan(hours: Sequence[float], gpus: int) -> float:
    """Return the hours until the last training ends, if the longest ones start first."""
    busy = [0.0] * gpus
    for each in sorted(hours, reverse=True):
        heapq.heapreplace(busy, busy[0] + each)
    return max(busy)


def disk(plan: Plan) -> tuple[int, int]:
    """Return the number of files and of bytes that the runs leave."""
    files, size, followed = SHARED, 0, set(plan.followed())
    for run in plan.runs():
        *_, dataset, name, _ = Path(run).parts
        row, entry = plan.rows[name], plan.entries[dataset]
        images = entry.expected_counts()[f"test{entry.letters[0]}"]
        best = run in followed
        kept = math.ceil(epochs(row) / plan.config.best.every) if best else 0
        files += OWN + kept + images * (1 + best)
        size += images * (PNG + FEATURES) * (1 + best) + GENERATOR * (row.trained + kept + best)
    return files, size


def cluster_jobs(plan: Plan) -> int:
    """Return the number of jobs that profiles/slurm submits."""
    held_out = bool(plan.config.best and plan.config.best.held_out)
    sets = len(plan.entries) * (1 + held_out)
    return 2 * len(plan.runs()) + len(plan.followed()) + sets + 1


def costs() -> None:
    """Print a table of the configs at full scale, each with three seeds."""
    print("config | runs | trainings | jobs | GPU hours |", *(f"{n} GPUs |" for n in GPUS), end="")
    print(" files | GB")
    every, totals = [], [0, 0, 0, 0]
    for name in CONFIGS:
        plan = make_plan({**read(ROOT / "config" / f"{name}.yaml"), "seeds": SEEDS})
        hours, numbers = trainings(plan), (len(plan.runs()), cluster_jobs(plan), *disk(plan))
        show(name, hours, numbers)
        every += hours
        totals = [a + b for a, b in zip(totals, numbers, strict=True)]
    show("all", every, totals)


def show(name: str, hours: Sequence[float], numbers: Sequence[int]) -> None:
    """Print one row of the table."""
    runs, jobs, files, size = numbers
    spans = [f"{makespan(hours, n):.0f} h" for n in GPUS]
    cells = [name, runs, len(hours), jobs, f"{sum(hours):.0f}", *spans, files, f"{size / 1e9:.0f}"]
    print(" | ".join(map(str, cells)))


def many_rows(n: int) -> None:
    """Print the CPU time of planning `n` rows of CUT, resolved anew and read from a file."""
    methods = {f"row{k}": {"method": "cut", "options": {"tau": 0.01 + k * 1e-5}} for k in range(n)}
    config = {"datasets": ["horse2zebra"], "run": list(methods), "methods": methods}
    with tempfile.TemporaryDirectory() as folder:
        for what in ("resolved anew", "read from a file"):
            begin = time.process_time()
            plan = make_plan(config, Path(folder))
            print(f"{len(plan.runs())} runs, {what}: {time.process_time() - begin:.2f} s of CPU")


def many_images(n: int) -> None:
    """Print the size of the record of a data set of `n` images, and what its use costs."""
    images = {f"trainA/{k:09d}.png": f"{k:064x}" for k in range(n)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dataset.json"
        record = DatasetRecord(
            dataset="many",
            root=".",
            source="a",
            target="b",
            direction="AtoB",
            digest="0" * 64,
            counts={"trainA": n},
            images=images,
            options={},
            licence="",
            citation="",
        )
        for what, work in (("write", record.write), ("read", DatasetRecord.read)):
            begin = time.process_time()
            work(path)
            seconds = time.process_time() - begin
            megabytes = path.stat().st_size / 1e6
            print(
                f"{what} a record of {n} images: {seconds:.1f} s of CPU, {megabytes:.0f} MB,"
                f" peak memory {peak_mb():.0f} MB"
            )


def many_names(n: int) -> None:
    """Print what planning costs on a folder of `n` images, of which no plan reads more than names.

    The files are empty and stand in a temporary folder.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for part, count in {"trainA": n, "trainB": 2, "testA": 2, "testB": 2}.items():
            (root / part).mkdir()
            for k in range(count):
                (root / part / f"{k:09d}.png").touch()
        config = {"datasets": ["many"], "run": ["copy"], "data_sources": {"many": str(root)}}
        plan = make_plan(config)
        for what, work in (
            ("check the inputs", lambda: check_inputs(plan)),
            ("digest of names, sizes and times", lambda: source_digest(plan.entries["many"])),
        ):
            before, begin = peak_mb(), time.process_time()
            work()
            seconds, more = time.process_time() - begin, peak_mb() - before
            print(f"{n} names, {what}: {seconds:.1f} s of CPU, peak memory {more:.0f} MB higher")


def peak_mb() -> float:
    """Return the peak memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, help="time a plan of so many rows")
    parser.add_argument("--images", type=int, help="time the record of so many images")
    parser.add_argument("--names", type=int, help="time a plan on a folder of so many images")
    args = parser.parse_args()
    if args.rows:
        many_rows(args.rows)
    if args.images:
        many_images(args.images)
    if args.names:
        many_names(args.names)
    if not (args.rows or args.images or args.names):
        costs()


if __name__ == "__main__":
    main()
