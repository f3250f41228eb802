"""Diversity: ST-LPIPS between several translations of one input, for a method that draws them.

MUNIT and DRIT report it with LPIPS, which is another network. A method whose translation depends
on nothing but the input has none.
"""

from __future__ import annotations

import tempfile
from itertools import combinations
from pathlib import Path

import torch
from torch import Tensor

from cut.base.errors import UserError
from cut.base.images import write
from cut.data.dataset import Dataset
from cut.metrics.image_pairs import KINDS, PairNetworks
from cut.metrics.inception.extract import full_precision, unit_tensor
from cut.metrics.inception.features import NO_MAPPING
from cut.metrics.st_lpips import StLpips
from cut.records.diversity import DiversityRecord
from cut.training.samples import sample
from cut.training.trained_run import load_run

SAMPLES = 5
KIND = "st_lpips"
ONE = "a method with one translation per image"


def score_diversity(
    dataset: Dataset,
    run: Path,
    given: PairNetworks,
    device: torch.device,
    batch_size: int,
    samples: int = SAMPLES,
) -> DiversityRecord:
    """Translate every test input several times; write `run/diversity.json` and return it.

    Args:
        dataset: the data set that the run was trained on.
        run: the folder of the finished run.
        given: has ST-LPIPS, or the reason why not.
        device: where to compute.
        batch_size: images that are translated at a time.
        samples: translations per input.

    Raises:
        UserError: the run is not finished, or there are fewer than two samples.
    """
    if samples < 2:
        raise UserError(f"--samples is {samples}; give 2 or more, to compare them")
    record, method = load_run(run)
    files, values, form = dataset.files("test", "source"), [], dataset.form("target")
    missing = given.missing.get(KIND) or KINDS[KIND].too_small(record.size)
    missing = missing or ("" if form.rgb else NO_MAPPING)
    missing = missing if method.scored(method.options) else ONE
    if not missing:
        method.to(device).train(False)
        with tempfile.TemporaryDirectory() as folder:
            for number in range(samples):
                place = Path(folder) / str(number)
                place.mkdir()
                with sample(number):
                    for name, image in method.translations(files, record.size, batch_size):
                        write(place / f"{name}{form.suffix}", image)
            for name in sorted(path.name for path in (Path(folder) / "0").iterdir()):
                places = [Path(folder) / str(k) / name for k in range(samples)]
                images = [unit_tensor(place, form) for place in places]
                values.append(mean_distance(given.networks[KIND], torch.stack(images).to(device)))
    found = DiversityRecord(
        st_lpips=sum(values) / len(values) if values else None,
        samples=samples,
        images=len(files),
        network=None if missing else KINDS[KIND].protocol,
        missing=missing or None,
        fingerprint=record.fingerprint,
    )
    found.write(run / DiversityRecord.files[0])
    return found


def mean_distance(network: StLpips, images: Tensor) -> float:
    """Return the mean ST-LPIPS over all pairs of images (N, 3, H, W) in [0, 1]."""
    with torch.inference_mode(), full_precision():
        maps = [network.maps(image[None]) for image in images]
        each = [network.between(a, b) for a, b in combinations(maps, 2)]
        return float(torch.cat(each).double().mean())
