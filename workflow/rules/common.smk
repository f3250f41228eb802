"""What several stages need: folders, and the arguments of commands."""

import json

RESULTS = PLAN.config.results
DATA = PLAN.config.data
RUN = f"{RESULTS}/{{dataset}}/{{row}}/seed{{seed}}"

# Commands call `python`, which a conda environment puts on the path. Without one it has to be the
# Python that runs Snakemake, whether or not its environment was activated.
if not workflow.deployment_settings.deployment_method:
    shell.prefix(f"export PATH={str(Path(sys.executable).parent)!r}:$PATH; ")


wildcard_constraints:
    dataset="|".join(map(re.escape, PLAN.config.datasets)),
    row="|".join(map(re.escape, PLAN.config.run)),
    seed=r"-?\d+",


def as_json(value):
    """Return `value` as JSON for a command line, the same text for the same value."""
    return json.dumps(value, sort_keys=True)


def row_of(wildcards):
    """Return the planned row of a run."""
    return PLAN.rows[wildcards.row]


def gpus(trained=True):
    """Return how many GPUs a job asks for."""
    return int(trained and PLAN.config.device == "cuda")
