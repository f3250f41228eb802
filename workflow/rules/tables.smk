"""Tables from the runs' records."""


rule tables:
    input:
        records(),
    output:
        scores=report(
            f"{RESULTS}/tables/scores.csv",
            caption=f"{CAPTIONS}/scores.rst",
            category="Tables",
        ),
        tables=report(
            [f"{RESULTS}/tables/{d}.csv" for d in PLAN.config.datasets],
            caption=f"{CAPTIONS}/table.rst",
            category="Tables",
        ),
        others=[
            f"{RESULTS}/tables/{d}{which}.{end}"
            for d in PLAN.config.datasets
            for which in ("", "-scores", "-ranks")
            for end in ("md", "tex")
        ],
    log:
        f"{RESULTS}/logs/tables.log",
    conda:
        ENVIRONMENT
    params:
        out=subpath(output.scores, parent=True),
        deviations=deviations(),
        runs=PLAN.runs(),
    shell:
        "python -m cut report tables --out {params.out:q} {params.deviations:q} {params.runs:q}"
        " > {log:q} 2>&1"


rule overview:
    input:
        records(),
    output:
        csv=report(
            f"{RESULTS}/tables/{{kind}}.csv", caption=f"{CAPTIONS}/overview.rst", category="Tables"
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
        deviations=deviations(),
        runs=PLAN.runs(),
    shell:
        "python -m cut report overview --out {params.out:q} {params.ablation}"
        " {params.deviations:q} {params.runs:q}"
        " > {log:q} 2>&1"


rule seeds:
    input:
        records(),
    output:
        csv=report(
            f"{RESULTS}/tables/seeds.csv", caption=f"{CAPTIONS}/seeds.rst", category="Tables"
        ),
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
        "python -m cut report seeds --out {params.out:q} {params.runs:q} > {log:q} 2>&1"
