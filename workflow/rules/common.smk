"""What several stages need: folders, and the arguments of commands."""

import json
import re
import shlex

from cut.data.prepare import known_source_digest
from cut.base.image_size import height_width

RESULTS = PLAN.config.results
DATA = PLAN.config.data
HELD_OUT = PLAN.config.best.held_out if PLAN.config.best else 0
ENVIRONMENT = f"../envs/cutbench{'-cuda' if PLAN.config.device == 'cuda' else ''}.yaml"
RUN = f"{RESULTS}/{{dataset}}/{{row}}/seed{{seed}}"
TRAINING = ("trained", "history.csv")
# Weights that a config names are its own business: of one file for all, a wrong path would take the
# weights, and another one the scores, from every other config.
INCEPTION = f"{RESULTS if PLAN.config.fid_weights else DATA}/inception.json"


def shell_prefix():
    """Return what each command begins with: where `python` and the modules of this checkout are."""
    # With --directory the checkout is not the folder that commands run in. A conda job starts
    # without PYTHONPATH, and has it from here.
    places = {"PYTHONPATH": workflow.basedir}
    # Commands call `python`, which a conda environment puts on the path. Without one it has to be
    # the Python that runs Snakemake, whether or not its environment was activated.
    if not workflow.deployment_settings.deployment_method:
        places["PATH"] = Path(sys.executable).parent
    parts = [f"export {k}={shlex.quote(str(v))}${{{k}:+:${k}}}; " for k, v in places.items()]
    parts.append(f"export CUT_PYTHON={shlex.quote(sys.executable)}; ")
    # A prefix takes the place of Snakemake's own, which makes a failed step end the command. It fills
    # in what stands in braces.
    return "set -euo pipefail; " + "".join(parts).replace("{", "{{").replace("}", "}}")


shell.prefix(shell_prefix())


wildcard_constraints:
    dataset="|".join(map(re.escape, PLAN.config.datasets)),
    row="|".join(map(re.escape, PLAN.config.run)),
    seed=r"-?\d+",


def as_json(value):
    """Return `value` as JSON for a command line, the same text for the same value."""
    return json.dumps(value, sort_keys=True)


def named(rows):
    """Return a pattern for the names of `rows`; without any, one that matches nothing."""
    return "|".join(re.escape(row.name) for row in rows) or "(?!)"


ROWS_BY_CLASS = named(row for row in PLAN.rows.values() if row.commands is None)
ROWS_BY_COMMANDS = named(row for row in PLAN.rows.values() if row.commands is not None)


def row_of(wildcards):
    """Return the planned row of a run."""
    return PLAN.rows[wildcards.row]


def gpus(trained=True):
    """Return how many GPUs a job asks for."""
    return int(trained and PLAN.config.device == "cuda")


def source_arguments(wildcards):
    """Return the arguments that say where a data set comes from."""
    given = PLAN.config.data_sources.get(wildcards.dataset, {})
    if isinstance(given, str):
        return ["--source", given]
    return [part for key in sorted(given) for part in ("--set", f"{key}={as_json(given[key])}")]


def segmenter(wildcards):
    """Return the segmentation network's weights, for a data set with label maps; else nothing."""
    labelled = PLAN.entries[wildcards.dataset].conversion is not None
    return PLAN.config.segmenter if labelled and PLAN.config.segmenter else []


def overviews():
    """Return what shows several data sets or seeds at once, where there are; or an ablation."""
    seeds = [f"{RESULTS}/tables/seeds.csv"] if len(PLAN.config.seeds) > 1 else []
    if PLAN.config.ablation:
        labelled = PLAN.config.segmenter and any(e.conversion for e in PLAN.entries.values())
        names = ["ablation", *(["ablation-miou"] if labelled else [])]
        points = [f"{RESULTS}/figures/{name}.png" for name in names]
        return [f"{RESULTS}/tables/ablation.md", *points, *seeds]
    return seeds + [f"{RESULTS}/tables/overview.md"] * (len(PLAN.config.datasets) > 1)


def records(dataset=None):
    """Return the record and the scores of every run (of one data set)."""
    files = ("trained", "run.json", "scores.json")
    names = [f"{run}/{name}" for run in PLAN.runs(dataset) for name in files]
    along = ("epochs.csv", "best.json", "best/scores.json")
    return names + [f"{run}/{name}" for run in PLAN.followed(dataset) for name in along]


def own_command(stage, **places):
    """Return a function of wildcards: the command of a stage, with this run's folders."""

    def command(wildcards, input):
        row = row_of(wildcards)
        run = RUN.format(dataset=wildcards.dataset, row=wildcards.row, seed=wildcards.seed)
        given = {"model": f"{run}/model", "seed": wildcards.seed}
        given |= dict(zip(("height", "width"), height_width(PLAN.config.size)))
        given |= {name: place(input, run) for name, place in places.items()}
        # A method without training has nothing to run there.
        return row.commands.command(stage, row.options, given) or "true"

    return command


def own_environment(wildcards):
    """Return the environment file in the method's folder."""
    return str(row_of(wildcards).commands.folder / "environment.yaml")


def figures():
    """Return the figures that this configuration has something for, a data set at a time."""
    trained = any(row.trained and row.commands is None for row in PLAN.rows.values())
    methods = any(row.role == "method" for row in PLAN.rows.values())
    kinds = ["grid", "curves"] + ["cost"] * trained + ["cases"] * methods
    kinds += ["stability"] * bool(PLAN.followed())
    kinds += ["encoder"] * any(row.contrastive for row in PLAN.rows.values())
    return expand(
        f"{RESULTS}/figures/{{dataset}}-{{kind}}.png", dataset=PLAN.config.datasets, kind=kinds
    )


def shown_names(asked, page):
    """Return the names of the tables and figures that `rule all` asks for, beside the page itself.

    Others, of an earlier configuration, may lie beside them.
    """
    names = {Path(path).stem for path in asked if path != page}
    for dataset in PLAN.config.datasets:
        names |= {dataset, f"{dataset}-scores"}
        names |= {f"{dataset}-seeds"} if len(PLAN.config.seeds) > 1 else set()
    return ",".join(sorted(names))
