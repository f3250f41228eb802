"""Score translations against real images, their inputs, and true counterparts where known.

FID is what `python -m pytorch_fid REAL FAKE` prints with the same weights. A score that cannot be
computed is None, with the reason beside it. docs/scores.md describes each score.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from cut.base import environment
from cut.base.errors import UserError
from cut.base.files import read_json, sha256_file
from cut.base.image_size import in_words
from cut.base.images import list_images
from cut.metrics import feature_scores, input_distance, paired
from cut.metrics.catalogue import METRICS
from cut.metrics.inception import features
from cut.metrics.inception.features import Features
from cut.metrics.inception.weights import InceptionWeights, WeightsUnavailable, find_inception
from cut.metrics.input_distance import ContentDistance
from cut.metrics.score_group import Scores
from cut.metrics.segmentation import segmenter as segmentation
from cut.metrics.segmentation.segmenter import Segmenter

SCORES = (*feature_scores.NAMES, *paired.NAMES, *input_distance.NAMES, *segmentation.NAMES)
MANIFEST = "manifest.json"
REAL = "real training images are no translations: they have no counterparts"


@dataclass(frozen=True)
class Partners:
    """Folders of images that belong to the translations, by name; None where there are none.

    Attributes:
        truth: what the translations should have been.
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
        found = {name: path for name, path in places.items() if path.is_dir()}
        if not found:
            raise UserError(
                f"{test} has none of the folders {', '.join(places)}; give what"
                " `python -m cut export` wrote"
            )
        return cls(**found)

    @classmethod
    def of(
        cls, test: Path | None, truth: Path | None, source: Path | None, labels: Path | None
    ) -> Partners:
        """Return the folders inside `test`, with those that are named in place of them."""
        given = {"truth": truth, "source": source, "labels": labels}
        inside = cls.inside(test) if test else cls()
        return replace(inside, **{name: path for name, path in given.items() if path})


def score(
    real: Path,
    fake: Path,
    partners: Partners,
    weights: InceptionWeights | WeightsUnavailable,
    device: torch.device | str = "cpu",
    batch_size: int = features.BATCH_SIZE,
    segmenter: Segmenter | None = None,
    keep: Path | None = None,
) -> dict[str, Any]:
    """Return what `scores.json` holds of the translations in `fake`.

    {"fid", "scores", "missing", "protocol", "translated", "scored_on"}: "missing" says for each
    score that is None why; "translated" is the head of the manifest beside the images, empty
    without one; "scored_on" has device and versions. `keep` is a file to write the features of the
    translations to.

    Raises:
        UserError: images are missing, damaged, of several sizes, without a partner, or not those
            that the manifest names; or `real` has features from other weights.
    """
    translated = read_manifest(fake)
    unrelated = translated.get("algorithm") == "real"
    # Counterparts first: it takes seconds, and finds a wrong folder before the network runs.
    truths = _truth_scores(fake, partners.truth, unrelated)
    inputs = ContentDistance.of(fake, partners.source, unrelated) if partners.source else None
    reference = _reference(real, weights, device, batch_size)
    features.check_reference(real, reference, weights)
    labelled = segmentation.score(fake, partners.labels, segmenter, unrelated, device)
    given = features.extract(fake, weights, device, batch_size, content=inputs)
    if keep:
        head = {"translated": translated} if translated else {}
        features.save(replace(given, protocol=given.protocol | head), keep)
    parts = [
        feature_scores.distances(reference, given),
        truths,
        _input_scores(inputs, given),
        labelled,
    ]
    values = {name: value for part in parts for name, value in part.values.items()}
    missing = {name: reason for part in parts for name, reason in part.missing.items()}
    protocol = {"real": reference.protocol, "fake": dict(given.protocol)}
    if inputs is not None:
        protocol["source"] = {"images_sha256": features.images_digest(list_images(partners.source))}
        # Beside the other facts of these images: the control of real images may have fewer.
        order = "by order" if unrelated else "by name"
        protocol["fake"]["images_paired"] = f"{len(inputs.inputs)} {order}"
    for part in parts:
        protocol |= part.protocol
    return {
        "fid": values["fid"],
        "scores": {name: values[name] for name in SCORES},
        "missing": {name: missing[name] for name in SCORES if values[name] is None},
        "protocol": protocol,
        "translated": translated,
        "scored_on": {"device": str(device), "versions": environment.versions()},
    }


def _truth_scores(fake: Path, truth: Path | None, unrelated: bool) -> Scores:
    """Return L1 and SSIM to the true counterparts."""
    if truth is None or unrelated:
        return Scores.none(paired.NAMES, REAL if truth else "no true counterparts")
    values = dict(zip(paired.NAMES, paired.compare(fake, truth), strict=True))
    protocol = {"l1": "mean absolute, range 1", "ssim": paired.SSIM_PROTOCOL}
    return Scores(values, protocol={"content": protocol})


def _input_scores(inputs: ContentDistance | None, given: Features) -> Scores:
    """Return the distances to the inputs, which `given` was extracted with."""
    if inputs is None:
        return Scores.none(input_distance.NAMES, "no folder of inputs (--source, or --test)")
    if given.reason is not None:
        return Scores.none(input_distance.NAMES, given.reason)
    return inputs.scores()


def _reference(
    real: Path,
    weights: InceptionWeights | WeightsUnavailable,
    device: torch.device | str,
    batch_size: int,
) -> Features:
    """Return the features of the real images, kept or computed here."""
    if real.is_dir():
        return features.extract(real, weights, device, batch_size)
    if real.suffix == ".npz":
        return features.load(real)
    raise UserError(f"{real} is neither a folder of images nor an .npz file of features")


def read_manifest(fake: Path) -> dict[str, Any]:
    """Return the head of the manifest in `fake`, all but its images, after checking those.

    Raises:
        UserError: an image is missing, changed, or not in the manifest.
    """
    path = fake / MANIFEST
    if not path.is_file():
        return {}
    manifest = read_json(path)
    if not isinstance(manifest, dict) or not isinstance(manifest.get("images"), dict):
        raise UserError(f"{path} is no manifest: it has no object 'images'; translate again")
    expected = manifest.pop("images")
    found = {image.name: image for image in list_images(fake)}
    odd = sorted(found.keys() ^ expected.keys())
    if odd:
        state = "not in the manifest" if odd[0] in found else "missing"
        raise UserError(f"{fake / odd[0]} is {state} ({path}); translate again")
    for name, image in found.items():
        if sha256_file(image) != expected[name]:
            raise UserError(f"{image} is not the image that {path} names; translate again")
    return manifest


def table(result: dict[str, Any]) -> str:
    """Return the scores as lines to read, and each reason for missing ones once."""
    real, fake = (result["protocol"][side] for side in ("real", "fake"))
    lines = [f"{fake['images']} images against {real['images']} real ones"]
    if real["size"] != fake["size"]:
        lines.append(
            f"note: the real images are {in_words(real['size'])}, these {in_words(fake['size'])};"
            " FID depends on the size that images had before"
        )
    for name, value in result["scores"].items():
        better = METRICS[name].better
        shown = "missing" if value is None else f"{value:.6g}"
        lines.append(f"  {name:16}{shown:14}{better and f'{better} is better'}".rstrip())
    for reason in dict.fromkeys(result["missing"].values()):
        names = [name for name, given in result["missing"].items() if given == reason]
        lines.append(f"missing {', '.join(names)}: {reason}")
    return "\n".join(lines)


def weights_of(
    record: Path | None = None, file: Path | None = None
) -> InceptionWeights | WeightsUnavailable:
    """Return the Inception weights that a JSON record or a file names, or those found by looking.

    Raises:
        UserError: the record or the file is missing or damaged.
    """
    try:
        return features.read_weights_json(record) if record else find_inception(file)
    except WeightsUnavailable as error:
        return error
