"""Training and translation: one job a data set, row and seed."""


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
        # The training state lies beside these outputs, undeclared: Snakemake would delete it.
        out=subpath(output.record, parent=True),
        method=lambda w: row_of(w).algorithm,
        options=lambda w: as_json(row_of(w).options),
        training=lambda w: as_json(row_of(w).training),
        # Nothing to train again for. What a function makes of `input`, Snakemake takes as following
        # from it, and doesn't keep: this function takes it for that alone.
        loop=lambda w, input: as_json(row_of(w).loop),
        # Imported modules are invisible to Snakemake; a change in the method's code is not.
        code=lambda w: row_of(w).code,
        size=PLAN.config.size,
        device=PLAN.config.device,
    shell:
        "python -m cut train --dataset {input:q} --out {params.out:q} --name {wildcards.row:q}"
        " --method {params.method:q} --seed {wildcards.seed} --size {params.size}"
        " --options {params.options:q} --training {params.training:q} --loop {params.loop:q}"
        " --device {params.device} > {log:q} 2>&1"


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
    resources:
        gpu=lambda w: gpus(row_of(w).trained),
    params:
        run=subpath(input.record, parent=True),
        batch_size=PLAN.config.translate_batch_size,
        device=PLAN.config.device,
    shell:
        "python -m cut translate --dataset {input.dataset:q} --run {params.run:q}"
        " --batch-size {params.batch_size} --device {params.device} > {log:q} 2>&1"
