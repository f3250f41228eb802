"""Methods that run by commands of their own, each in its own environment."""

# A method's environment need not have this package: Snakemake's own Python watches the command.
WATCHED = '"$CUT_PYTHON" -m cut --status {log:q}.json shell {params.command:q} > {log:q} 2>&1'


rule training_images:
    input:
        rules.dataset.output[0],
    output:
        f"{RESULTS}/{{dataset}}/train/manifest.json",
    log:
        f"{RESULTS}/logs/{{dataset}}.training_images.log",
    conda:
        ENVIRONMENT
    params:
        out=subpath(output[0], parent=True),
        size=SIZE,
        held_out=HELD_OUT,
    shell:
        "python -m cut external images {input:q} {params.out:q} --size {params.size}"
        " --held-out {params.held_out} > {log:q} 2>&1"


rule external_train:
    input:
        images=rules.training_images.output[0],
    output:
        # What the command leaves in model/ is not declared, so that it may continue from there.
        touch(f"{RUN}/trained"),
    log:
        f"{RESULTS}/logs/{{dataset}}.{{row}}.seed{{seed}}.train.log",
    benchmark:
        f"{RUN}/train.tsv"
    wildcard_constraints:
        row=ROWS_BY_COMMANDS,
    conda:
        own_environment
    resources:
        gpu=gpus(),
    params:
        run=subpath(output[0], parent=True),
        decides=decides,
        command=own_command(
            "train",
            source=lambda input, run: Path(input.images).parent / "source",
            target=lambda input, run: Path(input.images).parent / "target",
        ),
    shell:
        f"mkdir -p {{params.run:q}}/model; {WATCHED}"


rule external_translate:
    input:
        images=rules.test_images.output[0],
        trained=rules.external_train.output[0],
    output:
        touch(f"{RUN}/translations"),
    log:
        f"{RESULTS}/logs/{{dataset}}.{{row}}.seed{{seed}}.translate.log",
    benchmark:
        f"{RUN}/translate.tsv"
    wildcard_constraints:
        row=ROWS_BY_COMMANDS,
    conda:
        own_environment
    resources:
        gpu=gpus(),
    params:
        run=subpath(output[0], parent=True),
        decides=decides,
        command=own_command(
            "translate",
            input=lambda input, run: Path(input.images).parent / "source",
            output=lambda input, run: f"{run}/translated",
        ),
    shell:
        f"rm -rf {{params.run:q}}/translated; mkdir -p {{params.run:q}}/translated; {WATCHED}"


rule external_record:
    input:
        images=rules.test_images.output[0],
        done=rules.external_translate.output[0],
        cost=[rules.external_train.benchmark, rules.external_translate.benchmark],
    output:
        record=f"{RUN}/run.json",
        history=f"{RUN}/history.csv",
        manifest=f"{RUN}/translated/manifest.json",
    log:
        f"{RESULTS}/logs/{{dataset}}.{{row}}.seed{{seed}}.record.log",
    wildcard_constraints:
        row=ROWS_BY_COMMANDS,
    conda:
        ENVIRONMENT
    params:
        out=subpath(output.record, parent=True),
        test=subpath(input.images, parent=True),
        decides=decides,
        request=request,
    shell:
        "printf '%s\\n' {params.request:q} > {params.out:q}/request.json;"
        " python -m cut --status {log:q}.json external record {params.out:q}/request.json"
        " --test {params.test:q} --measured {input.cost:q} > {log:q} 2>&1"
