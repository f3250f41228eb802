"""Tables and figures from the runs' records."""


rule tables:
    input:
        records(),
    output:
        scores=report(
            f"{RESULTS}/tables/scores.csv",
            caption="../report/scores.rst",
            category="Tables",
        ),
        tables=report(
            [f"{RESULTS}/tables/{d}.csv" for d in PLAN.config.datasets],
            caption="../report/table.rst",
            category="Tables",
        ),
        others=[
            f"{RESULTS}/tables/{d}.{end}" for d in PLAN.config.datasets for end in ("md", "tex")
        ],
    log:
        f"{RESULTS}/logs/tables.log",
    conda:
        ENVIRONMENT
    params:
        out=subpath(output.scores, parent=True),
        runs=PLAN.runs(),
    shell:
        "python -m cut.tables --out {params.out:q} {params.runs:q} > {log:q} 2>&1"


rule overview:
    input:
        records(),
    output:
        csv=report(
            f"{RESULTS}/tables/{{kind}}.csv", caption="../report/overview.rst", category="Tables"
        ),
        others=[f"{RESULTS}/tables/{{kind}}.{end}" for end in ("md", "tex")],
    log:
        f"{RESULTS}/logs/{{kind}}.log",
    wildcard_constraints:
        kind="overview|ablation",
    conda:
        ENVIRONMENT
    params:
        out=subpath(output.csv, parent=True),
        ablation=lambda w: ["--ablation"] if w.kind == "ablation" else [],
        runs=PLAN.runs(),
    shell:
        "python -m cut.overview --out {params.out:q} {params.ablation} {params.runs:q}"
        " > {log:q} 2>&1"


rule seeds:
    input:
        records(),
    output:
        csv=report(f"{RESULTS}/tables/seeds.csv", caption="../report/seeds.rst", category="Tables"),
        others=[
            f"{RESULTS}/tables/{d}-seeds.{end}"
            for d in PLAN.config.datasets
            for end in ("md", "tex")
        ],
    log:
        f"{RESULTS}/logs/seeds.log",
    conda:
        ENVIRONMENT
    params:
        out=subpath(output.csv, parent=True),
        runs=PLAN.runs(),
    shell:
        "python -m cut.summary --out {params.out:q} {params.runs:q} > {log:q} 2>&1"


rule scatter:
    input:
        records(),
    output:
        png=report(
            f"{RESULTS}/figures/ablation.png",
            caption="../report/scatter.rst",
            category="Figures",
            labels={"figure": "ablation", "data set": "all"},
        ),
        pdf=f"{RESULTS}/figures/ablation.pdf",
    log:
        f"{RESULTS}/logs/ablation.scatter.log",
    conda:
        ENVIRONMENT
    params:
        runs=PLAN.runs(),
    shell:
        "python -m cut.figures scatter --out {output.png:q} {params.runs:q} > {log:q} 2>&1"


rule grid:
    input:
        images=rules.test_images.output[0],
        translated=lambda w: [f"{run}/translated/manifest.json" for run in PLAN.runs(w.dataset)],
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}-grid.png",
            caption="../report/grid.rst",
            category="Figures",
            labels={"figure": "translations", "data set": "{dataset}"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}-grid.pdf",
    log:
        f"{RESULTS}/logs/{{dataset}}.grid.log",
    conda:
        ENVIRONMENT
    params:
        test=lambda w, input: Path(input.images).parent,
        runs=lambda w: PLAN.runs(w.dataset),
        rows=PLAN.config.grid.rows,
        seed=PLAN.config.grid.seed,
    shell:
        "python -m cut.figures grid --out {output.png:q} --test {params.test:q} {params.runs:q}"
        " --rows {params.rows} --seed {params.seed} > {log:q} 2>&1"


rule curves:
    input:
        lambda w: [f"{run}/history.csv" for run in PLAN.runs(w.dataset)],
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}-curves.png",
            caption="../report/curves.rst",
            category="Figures",
            labels={"figure": "training curves", "data set": "{dataset}"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}-curves.pdf",
    log:
        f"{RESULTS}/logs/{{dataset}}.curves.log",
    conda:
        ENVIRONMENT
    params:
        runs=lambda w: PLAN.runs(w.dataset),
    shell:
        "python -m cut.figures curves --out {output.png:q} {params.runs:q} > {log:q} 2>&1"
