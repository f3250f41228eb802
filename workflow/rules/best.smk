"""Scoring along the way: the generators that trainings kept, and the best epoch."""


use rule test_images as held_out_images with:
    output:
        f"{RESULTS}/{{dataset}}/held_out/manifest.json",
    log:
        f"{RESULTS}/logs/{{dataset}}.held_out_images.log",
    params:
        out=subpath(output[0], parent=True),
        size=SIZE,
        held_out=HELD_OUT,


use rule reference as held_out_reference with:
    input:
        images=rules.held_out_images.output[0],
        weights=rules.inception.output[0],
    output:
        f"{RESULTS}/{{dataset}}/held_out/target.npz",
    log:
        f"{RESULTS}/logs/{{dataset}}.held_out_reference.log",
    params:
        folder=lambda w, input: Path(input.images).parent / "target",
        device=PLAN.config.device,
        split="held-out",


rule select:
    input:
        dataset=rules.dataset.output[0],
        record=rules.train.output.record,
        trained=rules.train.output.trained,
        weights=rules.inception.output[0],
        reference=rules.reference.output[0],
        held_out=rules.held_out_reference.output[0] if HELD_OUT else [],
    output:
        epochs=f"{RUN}/epochs.csv",
        best=f"{RUN}/best.json",
        translated=f"{RUN}/best/translated/manifest.json",
    log:
        f"{RESULTS}/logs/{{dataset}}.{{row}}.seed{{seed}}.select.log",
    wildcard_constraints:
        row=ROWS_BY_CLASS,
    conda:
        ENVIRONMENT
    threads: SCORING_THREADS
    resources:
        gpu=gpus(),
        mem_mb=memory_of("select", selecting_memory),
    params:
        run=subpath(input.record, parent=True),
        decides=decides,  # as in `translate`
        held_out=lambda w, input: (
            ["--held-out", Path(input.held_out).parent] if input.held_out else []
        ),
        device=PLAN.config.device,
    shell:
        "python -m cut --status {log:q}.json select --dataset {input.dataset:q} --run {params.run:q}"
        " --reference {input.reference:q} --weights-json {input.weights:q} {params.held_out:q}"
        " --device {params.device} > {log:q} 2>&1"


use rule score as score_best with:
    input:
        reference=rules.reference.output[0],
        weights=rules.inception.output[0],
        images=rules.test_images.output[0],
        translated=rules.select.output.translated,
        segmenter=segmenter,
        training=TRAINING_FEATURES,
        networks=[NETWORKS] if PAIR_SCORES else [],
    output:
        scores=f"{RUN}/best/scores.json",
        features=f"{RUN}/best/features.npz",
        resamples=f"{RUN}/best/resamples.csv",
    log:
        f"{RESULTS}/logs/{{dataset}}.{{row}}.seed{{seed}}.score_best.log",
    resources:
        gpu=gpus(),
        mem_mb=memory_of("score_best", scoring_memory),
