"""Tables and figures from the runs' records."""


def records(dataset=None):
    """Return the record and the scores of every run (of one data set)."""
    return [f"{run}/{name}" for run in PLAN.runs(dataset) for name in ("run.json", "scores.json")]


rule tables:
    input:
        records(),
    output:
        report(
            f"{RESULTS}/tables/scores.csv",
            caption="../report/scores.rst",
            category="Tables",
        ),
        [
            f"{RESULTS}/tables/{d}.{end}"
            for d in PLAN.config.datasets
            for end in ("csv", "md", "tex")
        ],
    log:
        f"{RESULTS}/logs/tables.log",
    conda:
        "../envs/cutbench.yaml"
    params:
        out=f"{RESULTS}/tables",
        runs=PLAN.runs(),
    shell:
        "python -m cut.tables --out {params.out:q} {params.runs:q} > {log:q} 2>&1"


rule grid:
    input:
        images=rules.test_images.output[0],
        translated=lambda w: [f"{run}/translated/manifest.json" for run in PLAN.runs(w.dataset)],
    output:
        report(
            f"{RESULTS}/figures/{{dataset}}-grid.png",
            caption="../report/grid.rst",
            category="Figures",
            labels={"figure": "translations", "data set": "{dataset}"},
        ),
        f"{RESULTS}/figures/{{dataset}}-grid.pdf",
    log:
        f"{RESULTS}/logs/{{dataset}}.grid.log",
    conda:
        "../envs/cutbench.yaml"
    params:
        test=lambda w, input: Path(input.images).parent,
        runs=lambda w: PLAN.runs(w.dataset),
        rows=PLAN.config.grid.rows,
        seed=PLAN.config.grid.seed,
    shell:
        "python -m cut.figures grid --out {output[0]:q} --test {params.test:q} {params.runs:q}"
        " --rows {params.rows} --seed {params.seed} > {log:q} 2>&1"


rule curves:
    input:
        lambda w: [f"{run}/history.csv" for run in PLAN.runs(w.dataset)],
    output:
        report(
            f"{RESULTS}/figures/{{dataset}}-curves.png",
            caption="../report/curves.rst",
            category="Figures",
            labels={"figure": "training curves", "data set": "{dataset}"},
        ),
        f"{RESULTS}/figures/{{dataset}}-curves.pdf",
    log:
        f"{RESULTS}/logs/{{dataset}}.curves.log",
    conda:
        "../envs/cutbench.yaml"
    params:
        runs=lambda w: PLAN.runs(w.dataset),
    shell:
        "python -m cut.figures curves --out {output[0]:q} {params.runs:q} > {log:q} 2>&1"
