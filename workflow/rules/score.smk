"""Scores: the Inception weights, the reference features, and each run against them."""


rule inception:
    input:
        PLAN.config.fid_weights or [],
    output:
        INCEPTION,
    log:
        f"{RESULTS}/logs/inception.log",
    # It may need a network, as `dataset` does.
    localrule: True
    conda:
        ENVIRONMENT
    params:
        weights=["--weights", PLAN.config.fid_weights] if PLAN.config.fid_weights else [],
        # A file that another one replaced, perhaps an older one, is looked at again.
        stamp=stamp(PLAN.config.fid_weights),
    shell:
        "python -m cut inception --out {output:q} {params.weights:q} > {log:q} 2>&1"


rule reference:
    input:
        images=rules.test_images.output[0],
        weights=rules.inception.output[0],
    output:
        f"{RESULTS}/{{dataset}}/test/target.npz",
    log:
        f"{RESULTS}/logs/{{dataset}}.reference.log",
    conda:
        ENVIRONMENT
    threads: SCORING_THREADS
    resources:
        gpu=gpus(),
        mem_mb=memory.scoring_mb(PLAN.config),
    params:
        folder=lambda w, input: Path(input.images).parent / "target",
        device=PLAN.config.device,
        split="test",
    shell:
        "python -m cut features {params.folder:q} {output:q}"
        " --weights-json {input.weights:q} --device {params.device}"
        " --meta dataset={wildcards.dataset} --meta split={params.split} > {log:q} 2>&1"


use rule reference as training_features with:
    input:
        images=rules.training_images.output[0],
        weights=rules.inception.output[0],
    output:
        f"{RESULTS}/{{dataset}}/train/target.npz",
    log:
        f"{RESULTS}/logs/{{dataset}}.training_features.log",
    params:
        folder=lambda w, input: Path(input.images).parent / "target",
        device=PLAN.config.device,
        split="train",


rule networks:
    output:
        NETWORKS,
    log:
        f"{RESULTS}/logs/networks.log",
    # It may need a network, as `inception` does.
    localrule: True
    conda:
        ENVIRONMENT
    params:
        names=PAIR_SCORES,
    shell:
        "python -m cut networks --out {output:q} {params.names} > {log:q} 2>&1"


rule score:
    input:
        reference=rules.reference.output[0],
        weights=rules.inception.output[0],
        images=rules.test_images.output[0],
        translated=f"{RUN}/translated/manifest.json",
        segmenter=segmenter,
        training=TRAINING_FEATURES,
        networks=[NETWORKS] if PAIR_SCORES else [],
    output:
        scores=f"{RUN}/scores.json",
        features=f"{RUN}/features.npz",
        resamples=f"{RUN}/resamples.csv",
    log:
        f"{RESULTS}/logs/{{dataset}}.{{row}}.seed{{seed}}.score.log",
    conda:
        ENVIRONMENT
    threads: SCORING_THREADS
    resources:
        gpu=gpus(),
        mem_mb=memory_of("score", scoring_memory),
    params:
        translated=subpath(input.translated, parent=True),
        test=subpath(input.images, parent=True),
        segmenter=lambda w, input: ["--segmenter", input.segmenter] if input.segmenter else [],
        stamp=lambda w: stamp(segmenter(w)),
        training=lambda w, input: ["--training", input.training] if input.training else [],
        networks=lambda w, input: ["--networks", input.networks] if input.networks else [],
        device=PLAN.config.device,
    shell:
        "python -m cut --status {log:q}.json score {input.reference:q} {params.translated:q}"
        " --test {params.test:q}"
        " --json {output.scores:q} --features {output.features:q}"
        " --resamples {output.resamples:q} {params.segmenter:q}"
        " {params.training:q} {params.networks:q}"
        " --weights-json {input.weights:q} --device {params.device} > {log:q} 2>&1"


rule steps:
    input:
        dataset=rules.dataset.output[0],
        record=rules.train.output.record,
        weights_of_run=rules.train.output.weights,
        trained=rules.train.output.trained,
        weights=rules.inception.output[0],
        reference=rules.reference.output[0],
    output:
        f"{RUN}/steps.json",
    log:
        f"{RESULTS}/logs/{{dataset}}.{{row}}.seed{{seed}}.steps.log",
    wildcard_constraints:
        row=ROWS_BY_CLASS,
    conda:
        ENVIRONMENT
    threads: SCORING_THREADS
    resources:
        gpu=gpus(),
        mem_mb=memory_of("steps", selecting_memory),
    params:
        run=subpath(input.record, parent=True),
        decides=decides,  # as in `translate`
        device=PLAN.config.device,
    shell:
        "python -m cut --status {log:q}.json steps --dataset {input.dataset:q} --run {params.run:q}"
        " --reference {input.reference:q} --weights-json {input.weights:q}"
        " --device {params.device} > {log:q} 2>&1"


rule diversity:
    input:
        dataset=rules.dataset.output[0],
        record=rules.train.output.record,
        weights_of_run=rules.train.output.weights,
        trained=rules.train.output.trained,
        networks=NETWORKS,
    output:
        f"{RUN}/diversity.json",
    log:
        f"{RESULTS}/logs/{{dataset}}.{{row}}.seed{{seed}}.diversity.log",
    wildcard_constraints:
        row=ROWS_BY_CLASS,
    conda:
        ENVIRONMENT
    threads: SCORING_THREADS
    resources:
        gpu=gpus(),
        mem_mb=memory_of("diversity", selecting_memory),
    params:
        run=subpath(input.record, parent=True),
        decides=decides,  # as in `translate`
        device=PLAN.config.device,
    shell:
        "python -m cut --status {log:q}.json diversity --dataset {input.dataset:q}"
        " --run {params.run:q} --networks {input.networks:q} --device {params.device} > {log:q} 2>&1"
