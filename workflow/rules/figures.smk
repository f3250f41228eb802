"""Figures from the runs' records, translations and features.

Their captions are the package's own: the page of results shows the same.
"""


rule scatter:
    input:
        records(),
    output:
        png=report(
            f"{RESULTS}/figures/{{scatter}}.png",
            caption="../../cut/resources/captions/ablation.rst",
            category="Figures",
            labels={"figure": "{scatter}", "data set": "all"},
        ),
        pdf=f"{RESULTS}/figures/{{scatter}}.pdf",
    log:
        f"{RESULTS}/logs/{{scatter}}.scatter.log",
    wildcard_constraints:
        scatter="ablation|ablation-miou",
    conda:
        ENVIRONMENT
    params:
        runs=PLAN.runs(),
        against=lambda w: ["--miou"] if w.scatter.endswith("miou") else [],
    shell:
        "python -m cut report figures scatter --out {output.png:q} {params.runs:q} {params.against:q}"
        " > {log:q} 2>&1"


rule grid:
    input:
        images=rules.test_images.output[0],
        translated=lambda w: [f"{run}/translated/manifest.json" for run in PLAN.runs(w.dataset)],
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}-grid.png",
            caption="../../cut/resources/captions/grid.rst",
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
        names=["--names", ",".join(PLAN.config.grid.names)] if PLAN.config.grid.names else [],
    shell:
        "python -m cut report figures grid --out {output.png:q} --test {params.test:q} {params.runs:q}"
        " --rows {params.rows} --seed {params.seed} {params.names:q} > {log:q} 2>&1"


rule curves:
    input:
        lambda w: [f"{run}/{name}" for run in PLAN.runs(w.dataset) for name in TRAINING],
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}-curves.png",
            caption="../../cut/resources/captions/curves.rst",
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
        "python -m cut report figures curves --out {output.png:q} {params.runs:q} > {log:q} 2>&1"


rule stability:
    input:
        lambda w: records(w.dataset),
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}-stability.png",
            caption="../../cut/resources/captions/stability.rst",
            category="Figures",
            labels={"figure": "FID by epoch", "data set": "{dataset}"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}-stability.pdf",
    log:
        f"{RESULTS}/logs/{{dataset}}.stability.log",
    conda:
        ENVIRONMENT
    params:
        runs=lambda w: PLAN.runs(w.dataset),
    shell:
        "python -m cut report figures stability --out {output.png:q} {params.runs:q} > {log:q} 2>&1"


rule cost:
    input:
        lambda w: records(w.dataset),
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}-cost.png",
            caption="../../cut/resources/captions/cost.rst",
            category="Figures",
            labels={"figure": "time and memory", "data set": "{dataset}"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}-cost.pdf",
    log:
        f"{RESULTS}/logs/{{dataset}}.cost.log",
    conda:
        ENVIRONMENT
    params:
        runs=lambda w: PLAN.runs(w.dataset),
    shell:
        "python -m cut report figures cost --out {output.png:q} {params.runs:q} > {log:q} 2>&1"


rule cases:
    input:
        images=rules.test_images.output[0],
        reference=rules.reference.output[0],
        scores=lambda w: [f"{run}/scores.json" for run in PLAN.runs(w.dataset)],
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}-cases.png",
            caption="../../cut/resources/captions/cases.rst",
            category="Figures",
            labels={"figure": "best and worst", "data set": "{dataset}"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}-cases.pdf",
    log:
        f"{RESULTS}/logs/{{dataset}}.cases.log",
    conda:
        ENVIRONMENT
    params:
        test=lambda w, input: Path(input.images).parent,
        runs=lambda w: PLAN.runs(w.dataset),
    shell:
        "python -m cut report figures cases --out {output.png:q} --test {params.test:q} {params.runs:q}"
        " > {log:q} 2>&1"


rule encoder:
    input:
        images=rules.test_images.output[0],
        record=lambda w: f"{PLAN.encoded(w.dataset)}/run.json",
    output:
        png=report(
            f"{RESULTS}/figures/{{dataset}}-encoder.png",
            caption="../../cut/resources/captions/encoder.rst",
            category="Figures",
            labels={"figure": "what the encoder has learned", "data set": "{dataset}"},
        ),
        pdf=f"{RESULTS}/figures/{{dataset}}-encoder.pdf",
    log:
        f"{RESULTS}/logs/{{dataset}}.encoder.log",
    conda:
        ENVIRONMENT
    params:
        test=lambda w, input: Path(input.images).parent,
        run=lambda w: PLAN.encoded(w.dataset),
        seed=PLAN.config.grid.seed,
    shell:
        "python -m cut report figures encoder --out {output.png:q} --test {params.test:q} {params.run:q}"
        " --seed {params.seed} > {log:q} 2>&1"
