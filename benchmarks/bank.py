"""Measure the time and memory of the bank of external negatives, compared with CUT.

    python -m benchmarks.bank [--size 256] [--ngf 64] [--steps 3] [--device cpu]

Takes steps of CUT and of `moco` with the published bank (16,384 vectors per layer, one bank per
domain) on the same random images, in turn, so that the machine is equally busy for all. Prints
the median seconds per step, their ratio to CUT's, and the bytes of banks and moving averages.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from cut.methods.contract import Batch, Method
from cut.methods.options import parse_options
from cut.methods.registry import discover

ROWS = {
    "CUT": ("cut", {}),
    "external, 255 of the bank": ("moco", {}),
    "external, the whole bank": ("moco", {"n_external": 0}),
    "internal and external": ("moco", {"negatives": "both"}),
    "MoCo's convention": ("moco", {"keys": "momentum", "n_external": 0}),
}


def extra_bytes(method: Method) -> dict[str, int]:
    """Return the bytes of the banks and of the moving averages of a method."""
    found = {"banks": 0, "averages": 0}
    for name, module in method.named_children():
        kind = "averages" if name.endswith("_average") else name
        if kind in found:
            tensors = [*module.parameters(), *module.buffers()]
            found[kind] += sum(t.numel() * t.element_size() for t in tensors)
    return found


def seconds(method: Method, batch: Batch) -> float:
    """Return the time of one step."""
    begin = time.perf_counter()
    losses = method.step(batch)
    float(next(iter(losses.values())))  # waits for a GPU
    return time.perf_counter() - begin


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--ngf", type=int, default=64)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    torch.set_num_threads(1)
    device = torch.device(args.device)
    rng = torch.Generator().manual_seed(0)
    shape = (1, 3, args.size, args.size)
    batch = Batch(*((torch.rand(shape, generator=rng) * 2 - 1).to(device) for _ in range(2)))
    registry = discover()
    methods = {}
    for label, (name, options) in ROWS.items():
        parsed = parse_options(registry[name].Options, {"ngf": args.ngf, **options}, name)
        methods[label] = registry[name](parsed).to(device)
    times: dict[str, list[float]] = {label: [] for label in methods}
    for step in range(args.steps + 1):
        for label, method in methods.items():
            taken = seconds(method, batch)
            if step:  # the first one warms up
                times[label].append(taken)
    base = statistics.median(times["CUT"])
    print(f"{args.size}x{args.size} pixels, ngf {args.ngf}, {args.steps} steps, {args.device}")
    print(f"{'':28}{'s/step':>8}{'ratio':>8}{'banks, MB':>11}{'averages, MB':>14}")
    for label, method in methods.items():
        size, median = extra_bytes(method), statistics.median(times[label])
        print(
            f"{label:28}{median:8.3f}{median / base:8.2f}{size['banks'] / 1e6:11.1f}"
            f"{size['averages'] / 1e6:14.1f}"
        )


if __name__ == "__main__":
    main()
