"""Training and translation: one job per data set, row and seed."""


rule train:
    input:
        rules.dataset.output[0],
    output:
        record=f"{RUN}/run.json",
        history=f"{RUN}/history.csv",
        weights=f"{RUN}/generator.pt",
    log:
        f"{RESULTS}/logs/{{dataset}}.{{row}}.seed{{seed}}.train.log",
    wildcard_constraints:
        row=ROWS_BY_CLASS,
    conda:
        ENVIRONMENT
    threads: lambda w: row_of(w).threads
    resources:
        gpu=lambda w: gpus(row_of(w).trained),
    params:
        # The training state is kept beside these outputs, undeclared: Snakemake would delete it.
        out=subpath(output.record, parent=True),
        decides=decides,
        request=request,
    shell:
        "printf '%s\\n' {params.request:q} > {params.out:q}/request.json;"
        " python -m cut train {params.out:q}/request.json > {log:q} 2>&1"


rule translate:
    input:
        dataset=rules.dataset.output[0],
        record=rules.train.output.record,
        weights=rules.train.output.weights,
    output:
        f"{RUN}/translated/manifest.json",
    log:
        f"{RESULTS}/logs/{{dataset}}.{{row}}.seed{{seed}}.translate.log",
    wildcard_constraints:
        row=ROWS_BY_CLASS,
    conda:
        ENVIRONMENT
    threads: SCORING_THREADS
    resources:
        gpu=lambda w: gpus(row_of(w).trained),
    params:
        run=subpath(input.record, parent=True),
        batch_size=PLAN.config.translate_batch_size,
        device=PLAN.config.device,
    shell:
        "python -m cut translate --dataset {input.dataset:q} --run {params.run:q}"
        " --batch-size {params.batch_size} --device {params.device} > {log:q} 2>&1"
