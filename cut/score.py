"""Score translations against real images, and against the true counterparts where known.

FID with its bootstrap interval, KID, precision, recall, density and coverage; L1 and SSIM.

    python -m cut.score REAL FAKE [--truth DIR] [--fid-weights FILE] [--json OUT]

REAL and FAKE are folders of images; REAL may also be a file of features, as written by
`python -m cut.metrics.features`. FID is what `python -m pytorch_fid REAL FAKE` prints with the same
weights. A score that can't be had is null, with the reason beside it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from cut.errors import UserError, command
from cut.files import read_json, write_json
from cut.images import list_images, sha256_file
from cut.metrics import content, features, interval, kid, manifold
from cut.metrics.features import Features
from cut.metrics.fid import fid
from cut.metrics.weights import InceptionWeights, WeightsUnavailable, find_inception
from cut.train import choose_device

DISTANCES = ("fid", "fid_low", "fid_high", "kid", "kid_std", *manifold.NAMES)
SCORES = (*DISTANCES, "l1", "ssim")
MANIFEST = "manifest.json"


def score(
    real: Path,
    fake: Path,
    truth: Path | None,
    weights: InceptionWeights | WeightsUnavailable,
    device: torch.device | str = "cpu",
    batch_size: int = features.BATCH_SIZE,
) -> dict[str, Any]:
    """Return {"fid", "scores", "missing", "protocol", "translated"} of the translations in `fake`.

    "missing" says for each score that is None why; "translated" is the head of the manifest beside
    the images, empty without one.

    Raises:
        UserError: images are missing, damaged, of several sizes, without a counterpart in `truth`,
            or not those that the manifest names; or `real` has features from other weights.
    """
    translated = read_manifest(fake)
    # Content first: it takes seconds, and finds a wrong folder before the network runs.
    scores, missing = _content_scores(fake, truth, translated)
    reference = _reference(real, weights, device, batch_size)
    if reference.reason and isinstance(weights, InceptionWeights):
        raise UserError(
            f"{real} has no features ({reference.reason}), though there are weights now; compute "
            "it again with python -m cut.metrics.features, or give the folder of images"
        )
    given = features.extract(fake, weights, device, batch_size)
    _same_weights(real, reference, given)
    distances, reasons = _distances(reference, given)
    scores = {name: {**distances, **scores}[name] for name in SCORES}
    protocol = {"real": reference.protocol, "fake": given.protocol}
    if given.reason is None:
        protocol["weights"] = given.protocol["weights"]
        protocol["kid"] = kid.describe(len(reference.names), len(given.names))
        protocol["interval"] = (
            f"{interval.LEVEL} bootstrap, {interval.RESAMPLES} resamples, centred"
        )
        protocol["manifold"] = f"{manifold.NEIGHBOURS} neighbours"
    if scores["l1"] is not None:
        protocol["content"] = {"l1": "mean absolute, range 1", "ssim": content.SSIM_PROTOCOL}
    return {
        "fid": scores["fid"],
        "scores": scores,
        "missing": {name: (reasons | missing)[name] for name in SCORES if scores[name] is None},
        "protocol": protocol,
        "translated": translated,
    }


def _content_scores(
    fake: Path, truth: Path | None, translated: dict[str, Any]
) -> tuple[dict[str, float | None], dict[str, str]]:
    """Return ({"l1", "ssim"}, why they are missing)."""
    reason = "no true counterparts"
    if truth is not None and translated.get("algorithm") == "real":
        reason = "real training images are no translations: they have no counterparts"
    elif truth is not None:
        return dict(zip(("l1", "ssim"), content.compare(fake, truth), strict=True)), {}
    return dict.fromkeys(("l1", "ssim")), dict.fromkeys(("l1", "ssim"), reason)


def _distances(
    reference: Features, given: Features
) -> tuple[dict[str, float | None], dict[str, str]]:
    """Return (the scores that compare features, why they are missing)."""
    reason = reference.reason or given.reason
    if reason is None and min(len(reference.names), len(given.names)) < 2:
        reason = "a distance of distributions needs at least two images on each side"
    if reason is not None:
        return dict.fromkeys(DISTANCES), dict.fromkeys(DISTANCES, reason)
    pair = (reference.values, given.values)
    scores: dict[str, float | None] = dict.fromkeys(DISTANCES)
    scores["fid"] = fid(*pair)
    scores["kid"], scores["kid_std"] = kid.kid(*pair)
    if bounds := interval.fid_interval(*pair, scores["fid"]):
        scores["fid_low"], scores["fid_high"] = bounds
    if min(map(len, pair)) > manifold.NEIGHBOURS:
        scores |= manifold.manifold(*pair)
    few = dict.fromkeys(manifold.NAMES, f"needs more than {manifold.NEIGHBOURS} images on a side")
    sides = f"needs 4 to {interval.MOST_IMAGES} images on a side"
    few |= dict.fromkeys(("fid_low", "fid_high"), sides)
    return scores, {**few, "kid_std": "fewer than four images on a side"}


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


def _same_weights(real: Path, reference: Features, given: Features) -> None:
    """Refuse features of two networks: their distance would mean nothing."""
    if reference.reason or given.reason:
        return
    theirs, ours = (f.protocol["weights"] for f in (reference, given))
    if theirs["tensors_sha256"] != ours["tensors_sha256"]:
        raise UserError(
            f"{real} was computed with the weights {theirs['tensors_sha256'][:12]}… "
            f"({theirs['source']}), but these are {ours['tensors_sha256'][:12]}… "
            f"({ours['source']}); compute it again with these"
        )


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
    sizes = [result["protocol"][side]["images"] for side in ("real", "fake")]
    lines = [f"{sizes[1]} images against {sizes[0]} real ones"]
    for name, value in result["scores"].items():
        lines.append(f"  {name:10}" + ("missing" if value is None else f"{value:.6g}"))
    for reason in dict.fromkeys(result["missing"].values()):
        names = [name for name, given in result["missing"].items() if given == reason]
        lines.append(f"missing {', '.join(names)}: {reason}")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Score one folder of translations."""
    parser = argparse.ArgumentParser(prog="python -m cut.score")
    parser.add_argument("real", type=Path, help="folder of real images, or features (.npz)")
    parser.add_argument("fake", type=Path, help="folder of translations")
    known = parser.add_mutually_exclusive_group()
    known.add_argument("--truth", type=Path, help="folder of true counterparts, by name")
    known.add_argument(
        "--test", type=Path, help="what cut.datasets export wrote: its truth/, if any"
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--fid-weights", type=Path, help="file of pytorch-fid's Inception weights")
    source.add_argument("--weights-json", type=Path, help="what cut.metrics.weights wrote")
    parser.add_argument("--json", type=Path, help="also write the scores here")
    features.add_arguments(parser)
    args = parser.parse_args(argv)
    device = choose_device(args.device)
    features.check_batch_size(args.batch_size)
    if not args.fake.is_dir():
        raise UserError(f"there is no folder {args.fake}; expected a folder of translations")
    try:
        weights = (
            features.read_weights_json(args.weights_json)
            if args.weights_json
            else find_inception(args.fid_weights)
        )
    except WeightsUnavailable as error:
        weights = error
    truth = args.truth
    if args.test and (args.test / "truth").is_dir():
        truth = args.test / "truth"
    result = score(args.real, args.fake, truth, weights, device, args.batch_size)
    print(table(result))
    if args.json:
        write_json(args.json, result)
    return 0


if __name__ == "__main__":
    command(main)
