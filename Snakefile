"""cutbench: train, translate, score and compare methods of unpaired image translation.

snakemake --cores 8 --use-conda                          the demo (config/config.yaml)
snakemake --cores 8 --use-conda --configfile config/paper.yaml
"""

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from cut.plan.finished_runs import begun_from, check_finished_runs
from cut.plan.inputs import check_inputs
from cut.plan.plan import make_plan
from cut.plan.workflow_lock import (
    MARK,
    enter,
    handle_sigterm_in_a_thread,
    wait_for_orphans,
)
from cut.plan.config import read
from cut.base.errors import UserError
from cut.data.prepare import refuse_other

min_version("9.0")

# A config file given on the command line replaces the demo's: merging the two would leave the
# demo's small networks in whatever the other file does not mention.
if not workflow.config_settings.configfiles:

    configfile: "config/config.yaml"


try:
    for path in map(Path, workflow.configfiles):
        if path.suffix in (".yaml", ".yml"):
            read(path)  # Snakemake takes a key that is given twice without a word
    PLAN = make_plan(config, Path(".snakemake/rows"))
    check_inputs(PLAN)
    for entry in PLAN.entries.values():
        refuse_other(entry, Path(PLAN.config.data) / entry.name)
    if workflow.is_main_process:  # not again in each job
        check_finished_runs(PLAN)
except UserError as error:
    raise WorkflowError(str(error))


# Only the process that the user called: each job on a cluster reads this file again.
WORKFLOW = enter(Path(".snakemake")) if workflow.is_main_process else None


onstart:
    handle_sigterm_in_a_thread()
    # Not on a dry run, which changes nothing and need not wait.
    wait_for_orphans(WORKFLOW, logger.info)


report: "cut/resources/captions/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/external.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/best.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/site.smk"


rule all:
    default_target: True
    input:
        # Tables, figures and the page need the runs of all shards.
        records() if PLAN.shard else [products(), rules.site.output.page],
