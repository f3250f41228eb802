"""Data sets: fetch or make, verify, and lay out the test images at the size of the run."""


def source_argument(wildcards):
    """Return the arguments that say where a data set comes from."""
    entry = PLAN.config.data_sources.get(wildcards.dataset)
    if entry is None:
        return ""
    if isinstance(entry, str):
        return f"--source {quote(entry)}"
    settings = [quote(f"{key}={value}") for key, value in sorted(entry.items())]
    return " ".join(f"--set {setting}" for setting in settings)


rule dataset:
    output:
        f"{DATA}/{{dataset}}/dataset.json",
    log:
        f"{RESULTS}/logs/{{dataset}}.dataset.log",
    conda:
        "../envs/cutbench.yaml"
    params:
        out=subpath(output[0], parent=True),
        source=source_argument,
    shell:
        "python -m cut.datasets prepare {wildcards.dataset} --out {params.out:q} {params.source}"
        " > {log:q} 2>&1"


rule test_images:
    input:
        rules.dataset.output,
    output:
        f"{RESULTS}/{{dataset}}/test/manifest.json",
    log:
        f"{RESULTS}/logs/{{dataset}}.test_images.log",
    conda:
        "../envs/cutbench.yaml"
    params:
        out=subpath(output[0], parent=True),
        size=PLAN.config.size,
    shell:
        "python -m cut.datasets export {input:q} {params.out:q} --size {params.size} > {log:q} 2>&1"
