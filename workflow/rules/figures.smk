"""Figures from the runs' records, translations and features."""

from collections.abc import Callable
from typing import NamedTuple


class Figure(NamedTuple):
    """One kind of figure.

    kind: the command's name of it.
    needs: its input files, or functions of wildcards that return them.
    arguments: a function of wildcards that returns the command's arguments, without --out.
    label: in Snakemake's report.
    dataset: the data set in the report.
    threads: of its job.
    """

    kind: str
    needs: list
    arguments: Callable
    label: str
    dataset: str = "{dataset}"
    threads: int = 1


def files_of_runs(*names):
    """Return a function of wildcards: the files with these names of a data set's runs."""
    return lambda w: [f"{run}/{name}" for run in PLAN.runs(w.dataset) for name in names]


def records_of_runs(wildcards):
    """Return the records of a data set's runs."""
    return records(wildcards.dataset)


def runs(wildcards):
    """Return the folders of a data set's runs."""
    return PLAN.runs(wildcards.dataset)


def test_folder(wildcards):
    """Return the argument that names a data set's exported test images."""
    return ["--test", f"{RESULTS}/{wildcards.dataset}/test"]


def grid_arguments(wildcards):
    """Return the arguments of the image grid."""
    grid = PLAN.config.grid
    names = ["--names", ",".join(grid.names)] if grid.names else []
    chosen = ["--rows", grid.rows, "--seed", grid.seed, *names]
    return [*test_folder(wildcards), *runs(wildcards), *chosen]


def encoder_arguments(wildcards):
    """Return the arguments of the encoder's figure."""
    run = PLAN.encoded(wildcards.dataset)
    return [*test_folder(wildcards), run, "--seed", PLAN.config.grid.seed]


TEST_IMAGES = rules.test_images.output[0]
FIGURES = {
    "{dataset}-grid": Figure(
        "grid",
        [TEST_IMAGES, files_of_runs("translated/manifest.json")],
        grid_arguments,
        "translations",
    ),
    "{dataset}-curves": Figure("curves", [files_of_runs(*TRAINING)], runs, "training curves"),
    "{dataset}-stability": Figure("stability", [records_of_runs], runs, "FID by epoch"),
    "{dataset}-cost": Figure("cost", [records_of_runs], runs, "time and memory"),
    "{dataset}-content": Figure("content", [records_of_runs], runs, "FID and content kept"),
    "{dataset}-cases": Figure(
        "cases",
        [TEST_IMAGES, rules.reference.output[0], files_of_runs("scores.json")],
        lambda wildcards: [*test_folder(wildcards), *runs(wildcards)],
        "best and worst",
        threads=SCORING_THREADS,
    ),
    "{dataset}-encoder": Figure(
        "encoder",
        [TEST_IMAGES, lambda wildcards: f"{PLAN.encoded(wildcards.dataset)}/run.json"],
        encoder_arguments,
        "what the encoder has learned",
        threads=SCORING_THREADS,
    ),
    "ablation": Figure("scatter", [records()], lambda wildcards: PLAN.runs(), "ablation", "all"),
    "ablation-miou": Figure(
        "scatter",
        [records()],
        lambda wildcards: [*PLAN.runs(), "--miou"],
        "ablation-miou",
        "all",
    ),
}

for stem, figure in FIGURES.items():
    rule_name = stem.removeprefix("{dataset}-").replace("-", "_")

    rule:
        name:
            f"figure_{rule_name}"
        input:
            figure.needs,
        output:
            png=report(
                f"{RESULTS}/figures/{stem}.png",
                caption=f"{CAPTIONS}/{stem.removeprefix('{dataset}-').removesuffix('-miou')}.rst",
                category="Figures",
                labels={"figure": figure.label, "data set": figure.dataset},
            ),
            pdf=f"{RESULTS}/figures/{stem}.pdf",
        log:
            f"{RESULTS}/logs/{stem.replace('{dataset}-', '{dataset}.')}.figure.log",
        conda:
            ENVIRONMENT
        threads: figure.threads
        params:
            kind=figure.kind,
            given=figure.arguments,
        shell:
            "python -m cut report figures {params.kind} --out {output.png:q} {params.given:q}"
            " > {log:q} 2>&1"
