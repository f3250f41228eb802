"""Score one folder against cached references, and the same pair by pytorch-fid's own command.

    python -m benchmarks.scoring REAL_FOLDER FAKE_FOLDER [--source FOLDER] [--device cpu]
        [--repeats 5] [--least 5] [--json OUT]

`python -m cut score` with kept features of REAL gives FID and all other scores against real images;
`python -m pytorch_fid` gives FID from both folders. With the folder of the inputs, `cut score` is
also timed as the workflow calls it, with the distances to those: there the network sees them too.
All are whole processes with the same weights, run in turn. Prints the FIDs, the median times, and
the median and the range of the ratios, a turn each: a machine that others use too is not always as
fast. On a CPU it also says how long the network alone takes for one image with one thread, and the
least that a plain matrix product would need for as many operations. Exits with 1 where the first
ratio is below `--least`.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks import step
from cut.metrics.image_folder import ImageFolder
from cut.metrics.inception.extract import BATCH_SIZE
from cut.metrics.inception.network import build, template
from cut.metrics.inception.weights import find_inception
from cut.training.work import Operations

# pytorch-fid's command has no argument for a weights file: they stand in for its download, in the
# process that the command runs in.
THEIRS = """
import sys, torch
import pytorch_fid.inception, pytorch_fid.fid_score
state = torch.load(sys.argv.pop(1), weights_only=True)
pytorch_fid.inception.load_state_dict_from_url = lambda *_, **__: state
pytorch_fid.fid_score.main()
"""


def timed(command: list[str]) -> tuple[float, str]:
    """Return the seconds of a process and what it printed."""
    begin = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - begin, done.stdout


def commands(args: argparse.Namespace, folder: Path) -> dict[str, list[str]]:
    """Return the commands to time, after making what they find ready."""
    weights = find_inception(None)
    record, kept = folder / "inception.json", folder / "real.npz"
    device = ["--device", args.device]
    timed([sys.executable, "-m", "cut", "inception", "--out", str(record)])
    timed(
        [
            sys.executable,
            "-m",
            "cut",
            "features",
            str(args.real),
            str(kept),
            "--weights-json",
            str(record),
            *device,
        ]
    )
    ours = [
        sys.executable,
        "-m",
        "cut",
        "score",
        str(kept),
        str(args.fake),
        "--weights-json",
        str(record),
        "--json",
        str(folder / "scores.json"),
        *device,
    ]
    found = {"cut score": ours}
    if args.source:
        found["cut score, and to the inputs"] = [*ours, "--source", str(args.source)]
    theirs = [str(weights.path), str(args.real), str(args.fake)]
    return found | {"pytorch_fid": [sys.executable, "-c", THEIRS, *theirs, *device]}


def measure(args: argparse.Namespace) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Return the FID and the seconds of each turn, of each command."""
    fids: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        to_time = commands(args, Path(folder))
        times: dict[str, list[float]] = {name: [] for name in to_time}
        for _ in range(args.repeats):
            for name, command in to_time.items():
                seconds, printed = timed(command)
                times[name].append(seconds)
                if name == "pytorch_fid":
                    fids[name] = float(re.search(r"FID:\s+(\S+)", printed)[1])
                else:
                    fids[name] = json.loads((Path(folder) / "scores.json").read_text())["fid"]
    return fids, times


def network_limit(size: tuple[int, int], turns: int = 3) -> dict[str, float]:
    """Measure how near FID's network comes to the machine's rate of matrix products.

    Args:
        size: height and width of the images, which the network enlarges to 299.
        turns: how often each is timed.

    Returns:
        Per image, of one CPU thread: `seconds` that the network takes, its `operations`, and the
        `least_seconds` that matrix products need for as many. `rate_share` is their ratio.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    # Random weights take as long as the real ones.
    empty = template().state_dict().items()
    network = build({k: torch.rand(v.shape) if v.shape else torch.tensor(0) for k, v in empty})
    batch = torch.rand(BATCH_SIZE, 3, *size).contiguous(memory_format=torch.channels_last)
    rates, taken = [], []
    with torch.no_grad(), Operations() as work:  # in inference mode, convolutions are not counted
        network(batch)
    for _ in range(turns):
        rates.append(step.matrix_rate(time.process_time, "cpu"))
        with torch.inference_mode():
            taken.append(step.seconds(lambda: network(batch), time.process_time, "cpu"))
    torch.set_num_threads(threads)
    each, operations = statistics.median(taken) / BATCH_SIZE, work.count / BATCH_SIZE
    least = operations / statistics.median(rates)
    return {
        "seconds": each,
        "operations": operations,
        "least_seconds": least,
        "rate_share": least / each,
    }


def summary(fids: dict[str, float], times: dict[str, list[float]]) -> dict[str, Any]:
    """Return what `--json` writes: FIDs, seconds, and the ratios to `pytorch_fid`."""
    commands = {}
    for name, mine in times.items():
        ratios = [slow / fast for fast, slow in zip(mine, times["pytorch_fid"], strict=True)]
        commands[name] = {
            "fid": fids[name],
            "fid_differs_by": abs(fids[name] - fids["pytorch_fid"]) / fids["pytorch_fid"],
            "seconds": statistics.median(mine),
            "speedup": statistics.median(ratios),
            "speedup_range": [min(ratios), max(ratios)],
        }
    return {"speedup": commands["cut score"]["speedup"], "commands": commands}


def main() -> int:
    """Measure and print; return 1 where scoring is too slow."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("real", type=Path)
    parser.add_argument("fake", type=Path)
    parser.add_argument("--source", type=Path, help="the inputs of the translations, by name")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--least", type=float, default=5.0, help="ratio that is fast enough")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    found = summary(*measure(args))
    for name, one in found["commands"].items():
        low, high = one["speedup_range"]
        print(
            f"{name:30} FID {one['fid']:.5f}  {one['seconds']:6.1f} s  ratio"
            f" {one['speedup']:.1f} ({low:.1f} to {high:.1f})"
            f"  FID differs by {one['fid_differs_by']:.1e}"
        )
    if args.device == "cpu":
        found["network"] = one = network_limit(ImageFolder(args.fake).size)
        print(
            f"the network, one thread: {one['seconds']:.3f} s per image, of which matrix products"
            f" need {one['least_seconds']:.3f} s for as many operations"
        )
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")
    return int(found["speedup"] < args.least)


if __name__ == "__main__":
    sys.exit(main())
