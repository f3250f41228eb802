"""Data sets: fetch or make, verify, and lay out the test images at the size of the run."""


rule dataset:
    output:
        f"{DATA}/{{dataset}}/dataset.json",
    log:
        f"{RESULTS}/logs/{{dataset}}.dataset.log",
    # It may need a network, which the nodes of a cluster often lack.
    localrule: True
    conda:
        ENVIRONMENT
    params:
        out=subpath(output[0], parent=True),
        source=source_arguments,
        # Images that were changed, added or removed since make the set, and its runs, anew.
        files=lambda w: known_source_digest(PLAN.entries[w.dataset], Path(DATA) / w.dataset),
    shell:
        "python -m cut prepare {wildcards.dataset} --out {params.out:q} {params.source:q}"
        " > {log:q} 2>&1"


rule test_images:
    input:
        rules.dataset.output[0],
    output:
        f"{RESULTS}/{{dataset}}/test/manifest.json",
    log:
        f"{RESULTS}/logs/{{dataset}}.test_images.log",
    conda:
        ENVIRONMENT
    params:
        out=subpath(output[0], parent=True),
        size=SIZE,
        held_out=0,
    shell:
        "python -m cut export {input:q} {params.out:q} --size {params.size}"
        " --held-out {params.held_out} > {log:q} 2>&1"
