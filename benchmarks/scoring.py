"""Score one folder against cached references, and the same pair by pytorch-fid's own command.

    python -m benchmarks.scoring REAL_FOLDER FAKE_FOLDER [--device cpu] [--repeats 5]

`python -m cut.score` with kept features of REAL, as the workflow calls it for every run, computes
all of its scores; `python -m pytorch_fid` computes FID from both folders. Both are whole processes
with the same weights, run in turn. Prints the two FIDs, the median times, and the median and the
range of the ratios, a turn each: a machine that others use too is not always as fast.
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

from cut.metrics.weights import find_inception

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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("real", type=Path)
    parser.add_argument("fake", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    weights = find_inception(None)
    with tempfile.TemporaryDirectory() as folder:
        record, kept = Path(folder) / "inception.json", Path(folder) / "real.npz"
        found = str(Path(folder) / "scores.json")
        timed([sys.executable, "-m", "cut.metrics.weights", "--out", str(record)])
        timed([sys.executable, "-m", "cut.metrics.features", str(args.real), str(kept),
               "--weights-json", str(record), "--device", args.device])  # fmt: skip
        ours = [sys.executable, "-m", "cut.score", str(kept), str(args.fake), "--weights-json",
                str(record), "--json", found, "--device", args.device]  # fmt: skip
        theirs = [sys.executable, "-c", THEIRS, str(weights.path), str(args.real),
                  str(args.fake), "--device", args.device]  # fmt: skip
        times: dict[str, list[float]] = {"cut.score": [], "pytorch_fid": []}
        printed = ""
        for _ in range(args.repeats):
            times["cut.score"].append(timed(ours)[0])
            seconds, printed = timed(theirs)
            times["pytorch_fid"].append(seconds)
        value = json.loads(Path(found).read_text())["fid"]
    fid = float(re.search(r"FID:\s+(\S+)", printed)[1])
    middle = {name: statistics.median(seconds) for name, seconds in times.items()}
    print(f"cut.score    FID {value:.5f}  {middle['cut.score']:6.1f} s, all scores")
    print(f"pytorch_fid  FID {fid:.5f}  {middle['pytorch_fid']:6.1f} s")
    ratios = [slow / fast for fast, slow in zip(*times.values(), strict=True)]
    spread = f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
    print(f"ratio of times {spread}, relative difference of FID {abs(value - fid) / fid:.1e}")


if __name__ == "__main__":
    main()
