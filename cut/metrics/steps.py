"""Score the images after each step of translations in several steps.

Papers on such methods often give the FID of the step that has the lowest. Here all steps are scored
in one run, and tables name the one that a row's other scores are of.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from cut.base.images import write
from cut.data.dataset import Dataset
from cut.metrics.best_epoch import score_folder
from cut.metrics.inception import features
from cut.metrics.inception.extract import Extractor
from cut.metrics.inception.weights import WeightsUnavailable
from cut.records.epochs import StepScores, StepsRecord
from cut.training.trained_run import load_run


def score_steps(dataset: Dataset, run: Path, extractor: Extractor, target: Path) -> StepsRecord:
    """Score every step on the whole test set; write `run/steps.json` and return it.

    Args:
        dataset: the data set that the run was trained on.
        run: the folder of the finished run.
        extractor: computes Inception features.
        target: the features of the real test images.

    Raises:
        UserError: the run is not finished, or the features are of other weights.
    """
    reference = features.load_reference(target)
    features.check_reference(target, reference, extractor.weights)
    record, method = load_run(run)
    numbers = range(1, method.steps(method.options) + 1)
    missing = reference.reason
    if isinstance(extractor.weights, WeightsUnavailable):
        missing = str(extractor.weights)
    scores = [StepScores(step=step) for step in numbers]
    if missing is None:
        method.to(extractor.device).train(False)
        files, form = dataset.files("test", "source"), dataset.form("target")
        with tempfile.TemporaryDirectory() as folder:
            places = [Path(folder) / str(step) for step in numbers]
            for place in places:
                place.mkdir()
            every = method.steps_of_translations(files, record.size, extractor.batch_size)
            for name, images in every:
                for place, image in zip(places, images, strict=True):
                    write(place / f"{name}{form.suffix}", image)
            scores = [
                StepScores(step=step, **score_folder(place, reference, extractor, form))
                for step, place in zip(numbers, places, strict=True)
            ]
    found = StepsRecord(steps=tuple(scores), missing=missing, fingerprint=record.fingerprint)
    found.write(run / StepsRecord.files[0])
    return found
