"""Segmentation scores from counts: closed forms, and an evaluation pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from cut.metrics.segmentation.confusion import class_iou, class_recall, confusion, scores


def pixel_by_pixel(truth: np.ndarray, predicted: np.ndarray, classes: int) -> dict[str, float]:
    """Return the three scores from sets of pixels, without a matrix."""
    counted = {(i, j) for i, j in np.ndindex(truth.shape) if truth[i, j] != 255}
    ious, recalls, right = [], [], 0
    for c in range(classes):
        true = {p for p in counted if truth[p] == c}
        guess = {p for p in counted if predicted[p] == c}
        right += len(true & guess)
        if true | guess:
            ious.append(len(true & guess) / len(true | guess))
        if true:
            recalls.append(len(true & guess) / len(true))
    return {
        "miou": sum(ious) / len(ious),
        "pixel_accuracy": right / len(counted),
        "class_accuracy": sum(recalls) / len(recalls),
    }


@pytest.mark.parametrize("seed", range(4))
def test_are_those_of_a_count_pixel_by_pixel(seed):
    """With ignored pixels, a class that is only predicted, and one that neither side has."""
    rng = np.random.default_rng(seed)
    truth = rng.choice([0, 1, 2, 4, 255], (20, 30)).astype(np.uint8)
    predicted = np.where(rng.random((20, 30)) < 0.6, truth % 255, rng.integers(0, 5, (20, 30)))
    assert scores(confusion(truth, predicted, 7)) == pytest.approx(
        pixel_by_pixel(truth, predicted, 7), rel=1e-12
    )


def test_two_classes_by_hand():
    """Rows are the truth: 3 of 4 pixels of the first class found, 1 of 2 of the second."""
    truth, predicted = np.array([0, 0, 0, 0, 1, 1, 255]), np.array([0, 0, 0, 1, 0, 1, 1])
    counts = confusion(truth, predicted, 2)
    assert counts.tolist() == [[3, 1], [1, 1]]
    assert class_iou(counts).tolist() == [3 / 5, 1 / 3]
    assert class_recall(counts).tolist() == [3 / 4, 1 / 2]
    found = scores(counts)
    assert found["miou"] == pytest.approx((3 / 5 + 1 / 3) / 2)
    assert (found["pixel_accuracy"], found["class_accuracy"]) == (4 / 6, 5 / 8)


def test_images_add_up():
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 4, (2, 6, 8, 8))
    whole = confusion(truth, predicted, 4)
    assert (sum(confusion(t, p, 4) for t, p in zip(truth, predicted, strict=True)) == whole).all()


def test_a_class_that_is_only_predicted_lowers_iou_and_not_recall():
    counts = confusion(np.zeros(4, int), np.array([0, 0, 0, 2]), 3)
    assert np.isnan(class_iou(counts)[1]) and class_iou(counts)[2] == 0
    assert scores(counts) == {"miou": 0.375, "pixel_accuracy": 0.75, "class_accuracy": 0.75}


def test_no_counted_pixel_gives_no_number():
    empty = scores(confusion(np.full(5, 255), np.zeros(5, int), 3))
    assert all(np.isnan(value) for value in empty.values())


def test_labels_that_are_none_are_refused():
    with pytest.raises(ValueError, match="not below 3"):
        confusion(np.array([3]), np.array([0]), 3)
    with pytest.raises(ValueError, match="shapes"):
        confusion(np.zeros((2, 2)), np.zeros(4), 3)
