"""Scores of a segmentation from its confusion matrix (true class by predicted class)."""

from __future__ import annotations

import numpy as np

IGNORED = 255


def confusion(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Return the counts (classes, classes): rows are true classes, columns predicted ones.

    `truth` and `predicted` are integer maps of one shape. Pixels with truth 255 are ignored.

    Raises:
        ValueError: the shapes differ, or a counted pixel has no class below `classes`.
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"label maps of shapes {truth.shape} and {predicted.shape}")
    counted = truth != IGNORED
    true, guess = truth[counted].astype(np.int64), predicted[counted].astype(np.int64)
    if true.size and max(true.max(), guess.max()) >= classes:
        raise ValueError(f"a label is not below {classes}")
    return np.bincount(classes * true + guess, minlength=classes**2).reshape(classes, classes)


def class_iou(counts: np.ndarray) -> np.ndarray:
    """Return the intersection over union of each class (classes,); NaN if neither side has it."""
    both = np.diag(counts)
    return _ratio(both, counts.sum(axis=0) + counts.sum(axis=1) - both)


def class_recall(counts: np.ndarray) -> np.ndarray:
    """Return the recall of each class (classes,); NaN for a class without pixels."""
    return _ratio(np.diag(counts), counts.sum(axis=1))


def scores(counts: np.ndarray) -> dict[str, float]:
    """Return mIoU, pixel accuracy and class accuracy, in [0, 1].

    The means over classes leave out absent classes: absent from both sides for mIoU, from the truth
    for class accuracy. All scores are NaN if no pixel counts.
    """
    total = counts.sum()
    if not total:
        return dict.fromkeys(("miou", "pixel_accuracy", "class_accuracy"), float("nan"))
    return {
        "miou": float(np.nanmean(class_iou(counts))),
        "pixel_accuracy": float(np.trace(counts) / total),
        "class_accuracy": float(np.nanmean(class_recall(counts))),
    }


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, NaN where the whole is 0."""
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
