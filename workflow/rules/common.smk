"""Paths, and functions that several stages use."""

import json
import re
import shlex
import site

import snakemake

from cut.base.image_size import height_width
from cut.data.prepare import known_source_digest
from cut.plan import memory
from cut.records.request import RequestRecord

RESULTS = PLAN.config.results
DATA = PLAN.config.data
HELD_OUT = PLAN.config.best.held_out if PLAN.config.best else 0
# Paths from the folder of these files. environment.yml says why there is one environment.
ENVIRONMENT = "../../environment.yml"
CAPTIONS = "../../cut/resources/captions"
# The argument of --size. The usual way of bringing images to it is not named, so that the jobs are
# those of a workflow that knew no other.
FITTED = {} if PLAN.config.fit == "stretch" else {"fit": PLAN.config.fit}
SIZE = f"{PLAN.config.size} --fit {PLAN.config.fit}" if FITTED else PLAN.config.size
# CPU threads of a job that computes features or scores; Snakemake takes no more than it has cores.
SCORING_THREADS = PLAN.config.scoring_threads
RUN = f"{RESULTS}/{{dataset}}/{{row}}/seed{{seed}}"
# Features of the target's training images, where a score needs them.
TRAINING_FEATURES = [f"{RESULTS}/{{dataset}}/train/target.npz"] * (
    "memorised" in PLAN.config.extra_scores
)
# Networks of their own that scores need, and the record of where their weights are.
PAIR_SCORES = [name for name in PLAN.config.extra_scores if name != "memorised"]
NETWORKS = f"{RESULTS}/networks.json"
# What shows that a training is done, and its losses.
TRAINING = ("trained", "history.csv")
# Weights that a configuration names get a record in its own results: in the shared record, a wrong
# path would take the weights, and another file the scores, from all other configurations.
INCEPTION = f"{RESULTS if PLAN.config.fid_weights else DATA}/inception.json"


def shell_prefix():
    """Return the start of each command, which says where `python` and this checkout's modules are."""
    # With --directory, commands run in another folder than the checkout. Snakemake clears
    # PYTHONPATH for conda jobs, so it is set here.
    places = {"PYTHONPATH": workflow.basedir}
    # Commands call `python`. With --use-conda the job's environment has one; without, it must be the
    # Python that runs Snakemake, also if its environment is not activated.
    if not workflow.deployment_settings.deployment_method:
        places["PATH"] = Path(sys.executable).parent
    parts = [f"export {k}={shlex.quote(str(v))}${{{k}:+:${k}}}; " for k, v in places.items()]
    parts.append(f"export CUT_PYTHON={shlex.quote(sys.executable)}; ")
    if WORKFLOW:  # a job on a cluster keeps the mark of the workflow that submitted it
        parts.append(f"export {MARK}={shlex.quote(str(WORKFLOW))}; ")
    # Packages in ~/.local come before those of a conda environment. Only a Snakemake that is installed
    # there needs them.
    if not Path(snakemake.__file__).is_relative_to(site.getusersitepackages()):
        parts.append("export PYTHONNOUSERSITE=1; ")
    # `shell.prefix` replaces Snakemake's own `set -euo pipefail`, so repeat it. Braces are doubled
    # because Snakemake formats the prefix.
    return "set -euo pipefail; " + "".join(parts).replace("{", "{{").replace("}", "}}")


shell.prefix(shell_prefix())


wildcard_constraints:
    dataset="|".join(map(re.escape, PLAN.config.datasets)),
    row="|".join(map(re.escape, PLAN.config.run)),
    seed=r"-?\d+",


def as_json(value):
    """Return `value` as JSON, the same text for the same value."""
    return json.dumps(value, sort_keys=True)


def untracked(value):
    """Return a function for `params` that gives value(wildcards, input), which may change.

    Snakemake runs a job again when one of its params differs from the last run's. It does not
    compare a param whose function takes `input`, since it follows from the input. So what decides
    the numbers is a param of its own, and what does not goes through this function.
    """
    return lambda wildcards, input: value(wildcards, input)


def named(rows):
    """Return a pattern for the names of `rows`; without any, one that matches nothing."""
    return "|".join(re.escape(row.name) for row in rows) or "(?!)"


ROWS_BY_CLASS = named(row for row in PLAN.rows.values() if row.commands is None)
ROWS_BY_COMMANDS = named(row for row in PLAN.rows.values() if row.commands is not None)


def row_of(wildcards):
    """Return the planned row of a run."""
    return PLAN.rows[wildcards.row]


def decides(wildcards):
    """Return all that decides the numbers of a run, as JSON: a change of it runs the job again."""
    row = row_of(wildcards)
    training = {"training": row.training, "device": PLAN.config.device} if row.trained else {}
    if digest := begun_from(row):
        training["begun_from"] = digest
    shared = {"method": row.algorithm, "options": row.options, "size": str(PLAN.config.size)}
    shared |= FITTED
    # Snakemake does not see the modules that a command imports; `code` is a digest of them.
    return as_json({**shared, **training, "code": row.code})


@untracked
def request(wildcards, input):
    """Return the text of a run's request.json."""
    row = row_of(wildcards)
    record = RequestRecord(
        dataset=f"{DATA}/{wildcards.dataset}/dataset.json",
        row=row.name,
        method=row.algorithm,
        seed=int(wildcards.seed),
        size=str(PLAN.config.size),
        **FITTED,
        options=row.options,
        training={**row.training, **row.loop},
        device=PLAN.config.device,
        replace=PLAN.config.replace,
    )
    return json.dumps(record.content(), indent=2)


def gpus(trained=True):
    """Return how many GPUs a job asks for."""
    return int(trained and PLAN.config.device == "cuda")


def memory_of(stage, needed):
    """Return a function that gives the megabytes of memory that a job of a run asks for.

    Args:
        stage: the job's name in its log.
        needed: a function of the planned row that gives the megabytes that the job needs.
    """

    def megabytes(wildcards, attempt):
        name = f"{wildcards.dataset}.{wildcards.row}.seed{wildcards.seed}.{stage}.log.json"
        return memory.after(attempt, needed(row_of(wildcards)), Path(f"{RESULTS}/logs/{name}"))

    return megabytes


def training_memory(row):
    """Return the megabytes that a training needs."""
    return memory.training_mb(row, PLAN.config)


def translating_memory(row):
    """Return the megabytes that a translation needs."""
    return memory.translating_mb(row, PLAN.config)


def scoring_memory(row):
    """Return the megabytes that scores need."""
    return memory.scoring_mb(PLAN.config)


def selecting_memory(row):
    """Return the megabytes that choosing the best epoch needs, which translates and scores."""
    return translating_memory(row) + memory.INCEPTION


def source_arguments(wildcards):
    """Return the arguments of `cut prepare` that say where a data set comes from."""
    given = PLAN.config.data_sources.get(wildcards.dataset, {})
    if isinstance(given, str):
        return ["--source", given]
    return [part for key in sorted(given) for part in ("--set", f"{key}={as_json(given[key])}")]


def segmenter(wildcards):
    """Return the weights of the segmentation network for a data set with label maps, else []."""
    labelled = PLAN.entries[wildcards.dataset].conversion is not None
    return PLAN.config.segmenter if labelled and PLAN.config.segmenter else []


def stamp(path):
    """Return the size and the time of change of a file of weights; "" without one."""
    if not path:
        return ""
    stat = Path(path).stat()
    return f"{stat.st_size} {stat.st_mtime_ns}"


def overviews():
    """Return the tables and figures over several data sets or seeds, or of an ablation."""
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
    names += [f"{run}/steps.json" for run in PLAN.stepped(dataset)]
    names += [f"{run}/diversity.json" for run in PLAN.stochastic(dataset)]
    along = ("epochs.csv", "best.json", "best/scores.json")
    return names + [f"{run}/{name}" for run in PLAN.followed(dataset) for name in along]


def deviations():
    """Return the arguments that give the deviations over seeds that were measured elsewhere."""
    given = PLAN.config.model_dump(mode="json")["seed_deviation"]
    return ["--seed-deviation", as_json(given)] if given else []


def own_command(stage, **places):
    """Return a function of wildcards: the command of a stage, with this run's folders."""

    @untracked
    def command(wildcards, input):
        run = RUN.format(dataset=wildcards.dataset, row=wildcards.row, seed=wildcards.seed)
        given = {"model": f"{run}/model", "seed": wildcards.seed}
        given |= dict(zip(("height", "width"), height_width(PLAN.config.size)))
        given |= {name: place(input, run) for name, place in places.items()}
        # A method without training has no command for it.
        return row_of(wildcards).commands.command(stage, given) or "true"

    return command


def own_environment(wildcards):
    """Return the environment file in the method's folder."""
    return f"{row_of(wildcards).commands.folder}/environment.yaml"


def products():
    """Return the tables and figures of this configuration: what the page shows."""
    return [f"{RESULTS}/tables/scores.csv", *figures(), *overviews()]


def figures():
    """Return the figures of each data set that this configuration has data for."""
    trained = any(row.trained and row.commands is None for row in PLAN.rows.values())
    methods = any(row.role == "method" for row in PLAN.rows.values())
    kinds = ["grid", "curves"] + ["cost"] * trained + ["content", "cases"] * methods
    kinds += ["stability"] * bool(PLAN.followed())
    kinds += ["encoder"] * any(row.contrastive for row in PLAN.rows.values())
    return expand(
        f"{RESULTS}/figures/{{dataset}}-{{kind}}.png", dataset=PLAN.config.datasets, kind=kinds
    )


def product_names():
    """Return the names of the tables and figures that the page shows, separated by commas.

    The folders may also hold those of an earlier configuration.
    """
    names = {Path(path).stem for path in products()}
    for dataset in PLAN.config.datasets:
        names |= {dataset, f"{dataset}-scores", f"{dataset}-ranks"}
        names |= {f"{dataset}-seeds"} if len(PLAN.config.seeds) > 1 else set()
    return ",".join(sorted(names))
