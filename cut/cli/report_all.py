"""Write tables, figures and the page of all runs below folders of results.

Writes OUT/tables, OUT/figures and OUT/site, as the workflow does. Figures that need the exported
test images are drawn if these are beside the runs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cut.cli.arguments import add_ablation, add_deviations


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--out", type=Path, required=True, help="the folder to write into")
    add_ablation(parser)
    add_deviations(parser)
    parser.add_argument("folders", type=Path, nargs="+", metavar="RESULTS_DIR")


def run(args: argparse.Namespace) -> int:
    """Write everything, by the commands that write each part."""
    from cut.report.collect import find_runs

    how = ["--seed-deviation", args.seed_deviation, *(["--ablation"] if args.ablation else [])]
    _command("collect", "--out", args.out / "tables", *how, *args.folders)
    runs = sorted(run.folder for run in find_runs(args.folders)[0])
    by_dataset: dict[str, list[Path]] = {}
    for folder in runs:  # a run is RESULTS_DIR/DATASET/ROW/seedN
        by_dataset.setdefault(folder.parents[1].name, []).append(folder)
    figures = args.out / "figures"
    for dataset, mine in by_dataset.items():
        for kind, given in _figures(mine).items():
            _command("report figures", kind, "--out", figures / f"{dataset}-{kind}.png", *given)
    if args.ablation:
        _command("report figures", "scatter", "--out", figures / "ablation.png", *runs)
    _command("report page", "--out", args.out / "site", *how, *runs)
    return 0


def _figures(runs: list[Path]) -> dict[str, list[Path | str]]:
    """Return the figures of one data set that its runs have data for, each with its arguments."""
    found: dict[str, list[Path | str]] = {k: [*runs] for k in ("curves", "cost", "content")}
    if any((run / "epochs.csv").is_file() for run in runs):
        found["stability"] = [*runs]
    # Of runs from several places, those that were received have no test images beside them.
    tests = (run.parents[1] / "test" for run in runs)
    if test := next((test for test in tests if (test / "source").is_dir()), None):
        images = ["--test", test]
        found["grid"] = found["cases"] = [*images, *runs]
        if encoders := [run for run in runs if (run / "embedding.pt").is_file()]:
            found["encoder"] = [*images, encoders[0]]
    return found


def _command(name: str, *given: Path | str) -> None:
    from cut import cli

    cli.run([*name.split(), *map(str, given)])
