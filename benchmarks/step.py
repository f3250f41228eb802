"""Time CUT's training step against the published step in plain torch, in turn, in one process.

    python -m benchmarks.step [--size 128] [--ngf 32] [--device cpu] [--precision float32] [--graph]
        [--turns 7] [--profile] [--json OUT] [--least 0]

Both start from the same weights and see the same images. `seconds` is the median processor time of
a step with one thread (on a GPU the time until it is done), `speedup` the median over turns of the
yardstick's by ours, and `wall` the time with every core. Memory is the peak of a process that takes
two steps: `memory_ratio` compares whole processes, `step_memory_ratio` what the steps add to the
peak before them. `rate_share` is the direct operations of the step per second, by the rate of a
matrix product that is measured between the turns; above 1 is possible where a convolution is
computed with fewer operations. --precision and --graph (a CUDA graph) are for our side alone: the
yardstick computes in float32, operation by operation. Exits with 1 where `speedup` is below
`--least`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.published_step import PublishedStep
from cut.methods.contract import Batch
from cut.methods.cut import Cut, CutOptions
from cut.training.captured import WARM_UP, CapturedSteps
from cut.training.loop import allow_tf32, autocast
from cut.training.work import Operations

SIDES = ("ours", "yardstick")
OPTIONS = ("size", "ngf", "batch", "device", "precision")
PROFILED = 5  # steps: other work on the machine distorts a single one
# Parts of a profile by what an operation's name contains; the first that fits counts.
PARTS = {
    "convolution": ("convolution", "conv_transpose"),
    "matrix product": ("mm", "linear"),
    "norm": ("norm", "var_mean"),
    "padding": ("pad",),
    "optimizer": ("_foreach", "adam", "addcdiv", "addcmul", "lerp"),
    "copy": ("copy", "cat", "fill", "zero", "index"),
}


def make(args: argparse.Namespace) -> dict[str, Callable[[], Any]]:
    """Return a function for each side that takes its next step."""
    rng, device = torch.Generator().manual_seed(0), torch.device(args.device)
    shape = (args.batch, 3, args.size, args.size)
    pair = Batch(*((torch.rand(shape, generator=rng) * 2 - 1).to(device) for _ in range(2)))
    method = Cut(CutOptions(ngf=args.ngf, ndf=args.ngf)).to(device)
    published = PublishedStep(method)

    def ours(batch: Batch) -> Any:
        allow_tf32(args.precision == "tf32")
        with autocast(args.precision, device):
            return method.step(batch)

    def yardstick() -> Any:
        allow_tf32(False)
        return published.step(*pair)

    take = CapturedSteps(method, ours).step if args.graph else ours
    return {"ours": lambda: take(pair), "yardstick": yardstick}


def seconds(step: Callable[[], Any], clock: Callable[[], float], device: str) -> float:
    """Return the time of one step."""
    begin = clock()
    step()
    if device != "cpu":
        torch.cuda.synchronize()
    return clock() - begin


def matrix_rate(clock: Callable[[], float], device: str, n: int = 1024) -> float:
    """Return the operations per second of a product of n x n matrices."""
    a = torch.ones(n, n, device=device)
    a @ a
    return 2 * n**3 / min(seconds(lambda: a @ a, clock, device) for _ in range(3))


def take_turns(
    steps: dict[str, Callable[[], Any]], turns: int, clock: Callable[[], float], device: str
) -> dict[str, list[float]]:
    """Return the times of each side's steps, taken in turn after those that warm up."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    warm_up = 1 if device == "cpu" else WARM_UP + 2  # the last of them is a graph's first
    for turn in range(turns + warm_up):
        for name, step in steps.items():
            taken = seconds(step, clock, device)
            if turn >= warm_up:
                times[name].append(taken)
    return times


def peak_memory() -> int:
    """Return the largest memory that this process has held, in bytes."""
    if sys.platform == "linux":  # where `ru_maxrss` begins with that of the parent
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def peaks(args: argparse.Namespace) -> tuple[int, int]:
    """Take two steps of one side; return the peak in bytes before them and after."""
    step = make(args)[args.only]
    # Adam's moments are there from the second step on.
    if args.device != "cpu":
        before = torch.cuda.max_memory_allocated()
        for _ in range(WARM_UP + 2):
            step()
        return before, torch.cuda.max_memory_allocated()
    before = peak_memory()
    step(), step()
    return before, peak_memory()


def memory(args: argparse.Namespace) -> dict[str, Any]:
    """Return the peaks of both sides, each measured in a process of its own, and their ratios."""
    options = [f"--{name}={getattr(args, name)}" for name in OPTIONS]
    options += ["--graph"] * args.graph
    found = {}
    for side in SIDES:
        command = [sys.executable, "-m", "benchmarks.step", *options, "--only", side]
        found[side] = json.loads(subprocess.check_output(command, text=True))
    (start, ours), (other, theirs) = found["ours"], found["yardstick"]
    return {
        "peak_bytes": {"ours": ours, "yardstick": theirs},
        "memory_ratio": ours / theirs,
        "step_memory_ratio": (ours - start) / (theirs - other),
    }


def part_of(name: str) -> str:
    """Return the part of a profile that an operation belongs to."""
    for part, words in PARTS.items():
        if any(word in name.lower() for word in words):
            return part
    return "other"


def profile(step: Callable[[], Any], device: str) -> dict[str, Any]:
    """Return the shares of parts and of the 12 longest operations in the time of a step."""
    with torch.profiler.profile() as found:
        for _ in range(PROFILED):
            step()
    events = found.key_averages()
    key = "self_cpu_time_total" if device == "cpu" else "self_device_time_total"
    times = {event.key: max(0.0, getattr(event, key)) for event in events}
    total = sum(times.values())
    parts: dict[str, float] = {}
    for name, taken in times.items():
        parts[part_of(name)] = parts.get(part_of(name), 0.0) + taken / total
    longest = sorted(events, key=lambda event: -getattr(event, key))[:12]
    return {
        "parts": dict(sorted(parts.items(), key=lambda item: -item[1])),
        "operations": {e.key: [e.count // PROFILED, getattr(e, key) / total] for e in longest},
    }


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Return everything that was measured."""
    clock = time.process_time if args.device == "cpu" else time.perf_counter
    torch.set_num_threads(1)
    steps = make(args)
    with Operations() as work:
        steps["ours"]()
    rates = [matrix_rate(clock, args.device)]
    times = take_turns(steps, args.turns, clock, args.device)
    rates.append(matrix_rate(clock, args.device))
    middle = {name: statistics.median(times[name]) for name in SIDES}
    ratios = [slow / fast for fast, slow in zip(*(times[name] for name in SIDES), strict=True)]
    rate = statistics.median(rates)
    found = {
        **{name: getattr(args, name) for name in (*OPTIONS, "graph", "turns")},
        "machine": machine(args.device),
        "torch": torch.__version__,
        "seconds": middle,
        "speedup": statistics.median(ratios),
        "speedup_range": [min(ratios), max(ratios)],
        "operations": work.count,
        "matrix_rate": rate,
        "rate_share": work.count / middle["ours"] / rate,
    }
    if args.profile:
        found["profile"] = {name: profile(steps[name], args.device) for name in SIDES}
    torch.set_num_threads(os.cpu_count() or 1)
    wall = take_turns(steps, min(args.turns, 3), time.perf_counter, args.device)
    found["wall"] = {name: statistics.median(wall[name]) for name in SIDES}
    return found | memory(args)


def machine(device: str) -> str:
    """Return the name of the processor."""
    if device != "cpu":
        return torch.cuda.get_device_name()
    lines = Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    vectors = torch.backends.cpu.get_cpu_capability()
    return f"{names[0] if names else platform.processor()}, {vectors}"


def show(found: dict[str, Any]) -> None:
    """Print a table of what was measured."""
    print(
        f"{found['machine']}; torch {found['torch']}; matrices {found['matrix_rate'] / 1e9:.0f}"
        f" GFLOP/s, of which the step reaches {found['rate_share']:.0%}"
    )
    print(f"{'':10} {'s/step':>8} {'s, every core':>14} {'peak, MB':>9}")
    for name in SIDES:
        peak = found["peak_bytes"][name] / 1e6
        print(f"{name:10} {found['seconds'][name]:8.3f} {found['wall'][name]:14.3f} {peak:9.0f}")
    low, high = found["speedup_range"]
    print(
        f"speedup {found['speedup']:.2f} ({low:.2f} to {high:.2f}); memory"
        f" {found['memory_ratio']:.2f}, of the steps alone {found['step_memory_ratio']:.2f}"
    )
    for name, parts in found.get("profile", {}).items():
        print(f"\n{name}: " + ", ".join(f"{k} {v:.0%}" for k, v in parts["parts"].items()))
        for operation, (count, share) in parts["operations"].items():
            print(f"{share:7.1%} {count:5} x {operation}")


def main() -> int:
    """Measure and print; return 1 where the step is too slow."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=128, help="pixels per side")
    parser.add_argument("--ngf", type=int, default=32, help="width of both networks")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--precision", choices=["float32", "tf32", "bfloat16"], default="float32", help="of ours"
    )
    parser.add_argument("--graph", action="store_true", help="ours as a CUDA graph")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--profile", action="store_true", help="show the parts of a step")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--least", type=float, default=0.0, help="speedup that is enough")
    parser.add_argument("--only", choices=SIDES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.graph and args.device == "cpu":
        parser.error("--graph needs a GPU: give --device cuda")
    if args.only:
        print(json.dumps(peaks(args)))
        return 0
    found = measure(args)
    show(found)
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")
    return int(found["speedup"] < args.least)


if __name__ == "__main__":
    sys.exit(main())
