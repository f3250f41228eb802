"""The model card of a run: Markdown with YAML at its beginning, as hubs of models read it."""

from __future__ import annotations

import yaml

from cut.records.dataset import DatasetRecord
from cut.results.card import facts, last_scores, licence_of, score_lines
from cut.results.run import Run


def card_of_run(
    run: Run, dataset: DatasetRecord | None = None, citation: str = "", pictures: str = ""
) -> str:
    """Return the card of a run's last generator.

    Args:
        run: the run.
        dataset: its data set, which has the licence; by default the list of known sets says it.
        citation: of the method, if it is known.
        pictures: the name of a file of translations beside the card, if there is one.

    Raises:
        UserError: the data set is not that of the run.
    """
    record, scores = run.record, last_scores(run)
    licence = licence_of(record, run.folder, dataset)
    front = facts(record, record.epochs, record.generator_sha256, licence, scores)
    front["extractor"] = run.protocol.real.extractor
    head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=100)
    paragraphs = [
        f"# {record.algorithm} on {record.dataset}",
        *([f"{record.description.rstrip('.')}."] if record.description else []),
        f"Row `{record.method}`, seed {record.seed}, epoch {record.epochs}.",
        *([f"![Translations of test images]({pictures})"] if pictures else []),
        "## Use",
        _use(run),
        "## Scores",
        "\n".join(score_lines(scores)),
        _protocol(run),
        "## Data",
        f"`{record.dataset}`, digest `{record.dataset_digest}`. Licence of its images: {licence}."
        " What a generator of these images may be used for depends on it.",
        *(["## Citation", citation] if citation else []),
    ]
    return f"---\n{head}---\n\n" + "\n\n".join(paragraphs) + "\n"


def _use(run: Run) -> str:
    """Return how the generator is used."""
    if run.record.external:
        return "The method is a program of its own, so no generator is here."
    h, w = run.record.size
    return (
        "```\npython -m cut translate RUN FOLDER OUT\n```\n\n"
        "`RUN` is the folder with `run.json` and `generator.pt`. The training had images of"
        f" {h}x{w} pixels (height x width): at another scale the result differs."
    )


def _protocol(run: Run) -> str:
    """Return what the scores are of."""
    real, fake, (h, w) = run.protocol.real, run.protocol.fake, run.record.size
    return (
        f"Of {fake.images} translations of the test set against {real.images} real images of"
        f" {h}x{w} pixels, by {real.extractor}."
    )
