"""Training and translation: one job per data set, row and seed."""


rule train:
    input:
        rules.dataset.output[0],
    output:
        # A training that outlives a killed Snakemake leaves them complete; `update` keeps them when
        # the job runs again. After a failure, `update` restores the files of the training before.
        # `trained` does not come back then, so that the next call trains.
        record=update(f"{RUN}/run.json"),
        history=update(f"{RUN}/history.csv"),
        weights=update(f"{RUN}/generator.pt"),
        trained=touch(f"{RUN}/trained"),
    log:
        f"{RESULTS}/logs/{{dataset}}.{{row}}.seed{{seed}}.train.log",
    wildcard_constraints:
        row=ROWS_BY_CLASS,
    conda:
        ENVIRONMENT
    threads: lambda w: row_of(w).threads
    resources:
        gpu=lambda w: gpus(row_of(w).trained),
        mem_mb=memory_of("train", training_memory),
    params:
        # The training state is kept beside these outputs, undeclared: Snakemake would delete it.
        out=subpath(output.record, parent=True),
        decides=decides,
        request=request,
    shell:
        "printf '%s\\n' {params.request:q} > {params.out:q}/request.json;"
        " python -m cut --status {log:q}.json train {params.out:q}/request.json > {log:q} 2>&1"


rule translate:
    input:
        dataset=rules.dataset.output[0],
        record=rules.train.output.record,
        weights=rules.train.output.weights,
        trained=rules.train.output.trained,
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
        mem_mb=memory_of("translate", translating_memory),
    params:
        run=subpath(input.record, parent=True),
        # If a training with other options fails, `train` gets its old outputs back, without Snakemake's
        # record of their options. The options of this job are recorded, so that both run again.
        decides=decides,
        batch_size=PLAN.config.translate_batch_size,
        device=PLAN.config.device,
    shell:
        "python -m cut --status {log:q}.json translate --dataset {input.dataset:q}"
        " --run {params.run:q} --batch-size {params.batch_size} --device {params.device}"
        " > {log:q} 2>&1"
