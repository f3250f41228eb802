"""Score one folder of translations: every score, the reasons for missing ones, the protocol.

FID equals the output of `python -m pytorch_fid REAL FAKE` with the same weights. docs/scores.md
describes every score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

from cut.base import environment
from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.base.image_form import RGB
from cut.metrics import feature_scores, image_pairs, input_distance, memorised, paired
from cut.metrics.catalogue import SCORES
from cut.metrics.image_folder import ImageFolder, exported
from cut.metrics.image_pairs import PairNetworks
from cut.metrics.inception import features
from cut.metrics.inception.extract import Extractor
from cut.metrics.inception.features import Features
from cut.metrics.inception.weights import (
    InceptionWeights,
    WeightsUnavailable,
    find_inception,
    read_weights_json,
)
from cut.metrics.input_distance import ContentDistance
from cut.metrics.network_difference import fast_network_difference
from cut.metrics.per_image import mean_scores
from cut.metrics.score_group import Scores
from cut.metrics.segmentation import segmenter as segmentation
from cut.metrics.segmentation.segmenter import Segmenter
from cut.records.images import Translated, TranslatedRecord
from cut.records.resamples import Resample
from cut.records.scores import Protocol, ScoredOn, ScoresRecord, Side, SourceImages

MANIFEST = "manifest.json"
REAL = "real training images are no translations: they have no counterparts"


@dataclass(frozen=True)
class Partners:
    """Folders of images that belong to the translations, by name; None where there are none.

    Attributes:
        truth: the true counterparts of the inputs.
        source: the inputs.
        labels: label maps of the inputs.
    """

    truth: Path | None = None
    source: Path | None = None
    labels: Path | None = None

    @classmethod
    def inside(cls, test: Path) -> Partners:
        """Return the folders that `cut export` wrote into `test`.

        Raises:
            UserError: there is no such folder, or it has none of them.
        """
        places = {name: test / name for name in ("truth", "source", "labels")}
        there = {name: path for name, path in places.items() if path.is_dir()}
        if not there:
            raise UserError(
                f"{test} has none of the folders {', '.join(places)}; give the folder that"
                " `python -m cut export` wrote"
            )
        return cls(**there)

    @classmethod
    def of(
        cls, test: Path | None, truth: Path | None, source: Path | None, labels: Path | None
    ) -> Partners:
        """Return the folders inside `test`, with those that are given in place of them."""
        given = {"truth": truth, "source": source, "labels": labels}
        inside = cls.inside(test) if test else cls()
        return replace(inside, **{name: path for name, path in given.items() if path})


def score(
    real: Path,
    fake: Path,
    partners: Partners,
    extractor: Extractor,
    segmenter: Segmenter | None = None,
    keep: Path | None = None,
    resamples: Path | None = None,
    training: Path | None = None,
    networks: PairNetworks | None = None,
) -> ScoresRecord:
    """Return the scores of the translations in `fake`.

    Args:
        real: a folder of real images, or a file of their features.
        fake: the translations.
        partners: images that belong to the translations.
        extractor: computes Inception features.
        segmenter: a segmentation network, for label maps.
        keep: a file to write the features of the translations to.
        resamples: a file to write the scores over resamples of the images to.
        training: the target's training images, as a folder or a file of their features.
        networks: ST-LPIPS and HED, by default neither.

    Raises:
        UserError: images are missing, damaged, of several sizes, without a partner, or not those
            of the manifest; or `real` or `training` has features by another network or other
            weights, or of other images than those beside it.
    """
    images = ImageFolder(fake)
    translated = read_manifest(images)
    unrelated = translated is not None and translated.role == "ceiling"
    # Counterparts first: this takes seconds and finds a wrong folder before the network runs.
    truths = _truth_scores(images, partners.truth, unrelated)
    source = exported(partners.source) if partners.source else None
    inputs = _inputs(images, source, unrelated)
    reference = _reference(real, extractor)
    trained_on = _reference(training, extractor) if training else None
    labelled = _label_scores(images, partners.labels, segmenter, unrelated, extractor)
    given = extractor.features(images, content=inputs)
    if keep:
        features.save(replace(given, translated=translated), keep)
    groups = (
        feature_scores.distances(reference, given),
        memorised.score(trained_on, given),
        truths,
        labelled,
        _input_scores(source, inputs, given),
        _pair_scores(
            images, None if unrelated else partners.truth, source, inputs, networks, extractor
        ),
    )
    scores = reduce(Scores.joined, groups)
    protocol = Protocol(
        real=reference.protocol,
        fake=_with_pairs(given.protocol, inputs, unrelated),
        source=SourceImages(images_sha256=source.digest) if source else None,
        fast_network=fast_network_difference(real, images, reference, given, extractor),
        **scores.protocol,
    )
    return ScoresRecord(
        scores={name: scores.values[name] for name in SCORES},
        missing={name: scores.missing[name] for name in SCORES if scores.values[name] is None},
        protocol=protocol,
        translated=translated,
        scored_on=ScoredOn(device=extractor.device.type, versions=environment.versions()),
        resamples_sha256=_write_resamples(scores, resamples) if resamples else "",
    )


def _inputs(
    images: ImageFolder, source: ImageFolder | None, unrelated: bool
) -> ContentDistance | None:
    """Return what compares the translations with their inputs; None where nothing can."""
    if source is None or source.form.rgb is None:
        return None
    return ContentDistance.of(images.paths, source.paths, unrelated, source.form)


def _write_resamples(scores: Scores, path: Path) -> str:
    """Write the scores over resamples, in the order of the catalogue; return the file's sha256."""
    columns = {name: scores.resamples[name] for name in SCORES if name in scores.resamples}
    rows = [
        Resample(resample=i, **dict(zip(columns, map(float, line), strict=True)))
        for i, line in enumerate(zip(*columns.values(), strict=True))
    ]
    Resample.write(path, rows)
    return sha256_of(path)


def _with_pairs(side: Side, inputs: ContentDistance | None, by_order: bool) -> Side:
    """Return the protocol of the translations with the number of inputs they were compared to."""
    if inputs is None:
        return side
    pairs = f"{len(inputs.inputs)} {'by order' if by_order else 'by name'}"
    return side.model_copy(update={"images_paired": pairs})


def _truth_scores(images: ImageFolder, truth: Path | None, unrelated: bool) -> Scores:
    """Return L1 and SSIM to the true counterparts."""
    if truth is None or unrelated:
        return Scores.none(paired.NAMES, REAL if truth else "no true counterparts")
    values = paired.compare(images.paths, exported(truth).paths, images.form)
    return mean_scores(values, {"content": paired.PROTOCOL})


def _pair_scores(
    images: ImageFolder,
    truth: Path | None,
    source: ImageFolder | None,
    inputs: ContentDistance | None,
    networks: PairNetworks | None,
    extractor: Extractor,
) -> Scores:
    """Return the scores by ST-LPIPS and HED."""
    truths = exported(truth).paths if truth else None
    given = networks or PairNetworks.load()
    forms = (images.form, source.form if source else RGB)
    pairs = inputs and inputs.inputs
    return image_pairs.score(images.paths, pairs, truths, given, extractor.device, forms)


def _label_scores(
    images: ImageFolder,
    labels: Path | None,
    segmenter: Segmenter | None,
    unrelated: bool,
    extractor: Extractor,
) -> Scores:
    """Return the segmentation scores."""
    if labels is not None and unrelated:
        reason = "real training images are no translations: the labels are of other images"
        return Scores.none(segmentation.NAMES, reason)
    if labels is not None and images.form.rgb is None:
        return Scores.none(segmentation.NAMES, features.NO_MAPPING)
    maps = exported(labels).paths if labels else None
    return segmentation.score(images.paths, maps, segmenter, extractor.device, images.form)


def _input_scores(
    source: ImageFolder | None, inputs: ContentDistance | None, given: Features
) -> Scores:
    """Return the distances to the inputs, which were gathered when `given` was extracted."""
    if source is None:
        return Scores.none(input_distance.NAMES, "no folder of inputs (--source, or --test)")
    if inputs is None:
        return Scores.none(input_distance.NAMES, features.NO_MAPPING)
    if given.reason is not None:
        return Scores.none(input_distance.NAMES, given.reason)
    return inputs.scores()


def _reference(real: Path, extractor: Extractor) -> Features:
    """Return the features of real images, read or computed.

    Raises:
        UserError: as `features.load_reference` and `features.check_reference`.
    """
    if real.is_dir():
        return extractor.features(exported(real))
    if real.suffix == ".npz":
        found = features.load_reference(real)
        features.check_reference(real, found, extractor.weights, extractor.network)
        return found
    raise UserError(f"{real} is neither a folder of images nor an .npz file of features")


def read_manifest(images: ImageFolder) -> Translated | None:
    """Return which run made the translations, after checking them; None without a manifest.

    Raises:
        UserError: an image is missing, changed, or not in the manifest; or the translations are in
            the folder of a run, which always has one.
    """
    path = images.path / MANIFEST
    if not path.is_file():
        # The folder is RUN/translated or RUN/best/translated.
        run = next((up for up in path.parents[1:3] if (up / "run.json").is_file()), None)
        if run and images.path.name == "translated":
            raise UserError(f"there is no {path}; translate {run} again")
        return None
    record = TranslatedRecord.read(path)
    _check_images(images.path, images.digests, record.images)
    return record.translated


def _check_images(folder: Path, found: Mapping[str, str], expected: Mapping[str, Any]) -> None:
    if odd := sorted(found.keys() ^ expected.keys()):
        state = "not in the manifest" if odd[0] in found else "missing"
        raise UserError(f"{folder / odd[0]} is {state} ({folder / MANIFEST}); translate again")
    for name, digest in found.items():
        if digest != expected[name]:
            raise UserError(
                f"{folder / name} is not the image that {folder / MANIFEST} names; translate again"
            )


def weights_of(
    record: Path | None = None, file: Path | None = None
) -> InceptionWeights | WeightsUnavailable:
    """Return the Inception weights of a JSON record or of a file, or those found by looking.

    Raises:
        UserError: the record or the file is missing or damaged.
    """
    if record:
        return read_weights_json(record)
    try:
        return find_inception(file)
    except WeightsUnavailable as error:
        return error
