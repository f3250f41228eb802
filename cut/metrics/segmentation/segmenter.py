"""Segmentation scores: how well a segmentation network recovers the labels from translations.

For Cityscapes, labels to photographs (Isola et al. 2017). Park et al. 2020 use DRN-D-22 at 256x128
(width x height) with weights of their own, which were not released. The weights have to be given.
Scores depend on them, so only scores by the same file are comparable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.base.image_files import counterparts
from cut.base.image_form import RGB, Form
from cut.base.image_size import height_width, in_words
from cut.base.images import read_labels, resize, shown
from cut.base.tensor_files import read_tensors
from cut.metrics.inception.extract import full_precision
from cut.metrics.score_group import Scores
from cut.metrics.segmentation import confusion
from cut.metrics.segmentation.drn import CLASSES, DRN
from cut.records.scores import SegmenterProtocol

NAMES = ("miou", "pixel_accuracy", "class_accuracy")
SIZE = "128x256"
OWN_SIZE = "image"
# Of the Cityscapes training images, from datasets/cityscapes/info.json of fyu/drn.
MEAN = (0.29010095242892997, 0.32808144844279574, 0.28696394422942517)
STD = (0.1829540508368939, 0.18656561047509476, 0.18447508988480435)
# The label ids (of 34) that are scored, in the order of the 19 training classes.
COUNTED = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
HIGHEST = 33  # of the label ids


@dataclass(frozen=True)
class Segmenter:
    """A network with weights, and the (height, width) of its input; None keeps the image's size."""

    network: DRN
    size: tuple[int, int] | None
    sha256: str

    @classmethod
    def load(cls, path: Path, size: str = SIZE) -> Segmenter:
        """Return DRN-D-22 with the weights in `path`: a state dict, bare or in a checkpoint.

        Raises:
            UserError: the file is missing, unreadable or no such weights, or `size` is no size.
        """
        sides = None if size == OWN_SIZE else height_width(size, "--segmenter-size")
        network = DRN()
        state = _read(path)
        # The checkpoints are older than PyTorch's counters of batches.
        counters = {k: v for k, v in network.state_dict().items() if k.endswith("batches_tracked")}
        try:
            network.load_state_dict({**counters, **state})
        except RuntimeError as error:
            reason = " ".join(str(error).split()).partition(": ")[2]
            raise UserError(
                f"{path} is not the state dict of a DRN-D-22 with {CLASSES} classes "
                f"({reason[:120]}); expected a checkpoint of fyu/drn's segment.py"
            ) from None
        return cls(network.eval(), sides, sha256_of(path))

    def protocol(self) -> SegmenterProtocol:
        """Return what the scores depend on."""
        size = in_words(self.size) if self.size else "the images' own"
        return SegmenterProtocol(network="DRN-D-22", weights_sha256=self.sha256, size=size)

    def predict(self, image: Image.Image, device: torch.device | str) -> np.ndarray:
        """Return the classes (H, W) of an image, at the size of the network's input."""
        pixels = np.asarray(resize(image, self.size) if self.size else image) / 255  # (H, W, 3)
        x = torch.from_numpy((pixels - MEAN) / STD).permute(2, 0, 1).float()[None]
        with torch.inference_mode(), full_precision():
            scores: Tensor = self.network(x.to(device))  # (1, 19, H, W)
        return scores[0].argmax(dim=0).cpu().numpy()


def _read(path: Path) -> dict[str, Tensor]:
    """Return the state dict in a file, without the prefix of training on several GPUs."""
    state = read_tensors(path, "the weights of a DRN-D-22")
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise UserError(f"{path} holds no dictionary of tensors; expected those of a DRN-D-22")
    return {str(name).removeprefix("module."): value for name, value in state.items()}


def training_classes(ids: np.ndarray) -> np.ndarray:
    """Return the 19 classes (and 255 for the rest) of a map of Cityscapes label ids, uint8."""
    table = np.full(256, confusion.IGNORED, np.uint8)
    table[list(COUNTED)] = np.arange(CLASSES)
    return table[ids]


def check_labels(paths: Sequence[Path]) -> None:
    """Refuse maps that are not label ids of Cityscapes.

    Raises:
        UserError: a map is damaged, has colours, or has a number that is no label id; or no map
            has an id above 18, so they hold the 19 training classes.
    """
    highest = 0
    for path in paths:
        ids = np.unique(read_labels(path))
        ids = ids[ids != confusion.IGNORED]
        if ids.size and ids[-1] > HIGHEST:
            raise UserError(
                f"{path} has the label {ids[-1]}, but the label ids of Cityscapes end at {HIGHEST};"
                " give its *_gtFine_labelIds.png"
            )
        highest = max(highest, int(ids[-1]) if ids.size else 0)
    if highest < CLASSES:
        raise UserError(
            f"no label map in {paths[0].parent} has an id above {CLASSES - 1}, so they seem to hold"
            " training classes; give the label ids (*_gtFine_labelIds.png)"
        )


def score(
    translations: Sequence[Path],
    labels: Sequence[Path] | None,
    segmenter: Segmenter | None,
    device: torch.device | str = "cpu",
    form: Form = RGB,
) -> Scores:
    """Return the scores `NAMES` of translations against the label maps of their names.

    They come from one confusion matrix over all images. Label maps are resized to the prediction
    by the nearest label. Translations of another form than 8-bit RGB are shown to the network by
    its mapping.

    Raises:
        UserError: an image has no label map, or one is damaged.
    """
    if labels is None:
        return Scores.none(NAMES, "no label maps of the inputs were given")
    if segmenter is None:
        return Scores.none(NAMES, "no segmentation network was given (segmenter: FILE)")
    pairs = counterparts(translations, labels, "label map")
    check_labels([label for _, label in pairs])
    segmenter.network.to(device)
    counts = np.zeros((CLASSES, CLASSES), np.int64)
    for path, label in tqdm(pairs, "segment", unit="image", disable=None):
        predicted = segmenter.predict(shown(path, form), device)
        h, w = predicted.shape
        ids = read_labels(label).resize((w, h), Image.Resampling.NEAREST)
        counts += confusion.confusion(training_classes(np.asarray(ids)), predicted, CLASSES)
    if not counts.sum():
        return Scores.none(NAMES, "no pixel of the label maps has one of the 19 classes")
    return Scores(confusion.scores(counts), protocol={"segmenter": segmenter.protocol()})
