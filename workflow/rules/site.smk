"""The page of results: scores, images, figures and records, to open without a server."""


rule site:
    input:
        records(),
        products(),
        images=expand(rules.test_images.output[0], dataset=PLAN.config.datasets),
        translated=[f"{run}/translated/manifest.json" for run in PLAN.runs()],
    output:
        page=f"{RESULTS}/site/index.html",
        assets=directory(f"{RESULTS}/site/assets"),
    log:
        f"{RESULTS}/logs/site.log",
    conda:
        ENVIRONMENT
    params:
        out=subpath(output.page, parent=True),
        only=product_names(),
        ablation=["--ablation"] if PLAN.config.ablation else [],
        deviations=deviations(),
        runs=PLAN.runs(),
    shell:
        "python -m cut report page --out {params.out:q} --only {params.only:q} {params.ablation}"
        " {params.deviations:q} {params.runs:q} > {log:q} 2>&1"
