"""The catalogue of metrics, and the lists that are selections from it."""

from __future__ import annotations

from cut.metrics import catalogue, feature_scores, image_pairs, input_distance, memorised, paired
from cut.metrics.catalogue import METRICS
from cut.metrics.segmentation import segmenter
from cut.records.diversity import DiversityRecord
from cut.records.epochs import BestRecord
from cut.records.images import Translated
from cut.records.run import RunRecord


def test_the_scores_are_those_that_the_metrics_compute():
    groups = (feature_scores, memorised, paired, input_distance, image_pairs, segmenter)
    assert tuple(name for group in groups for name in group.NAMES) == catalogue.SCORES
    assert (*paired.NAMES, "st_lpips_truth") == catalogue.PAIRED
    assert catalogue.SEGMENTATION == segmenter.NAMES


def test_every_metric_has_a_field_in_its_record():
    fields = {
        "scores": set(catalogue.SCORES),
        "run": set(RunRecord.model_fields),
        "translated": set(Translated.model_fields),
        "diversity": set(DiversityRecord.model_fields),
        "best": {*catalogue.SCORES, *BestRecord.model_fields},
    }
    for key, metric in METRICS.items():
        assert metric.key == key and metric.label
        assert metric.field in fields[metric.source], key


def test_the_selections_have_known_members():
    assert catalogue.HEADLINE == (
        "fid",
        "fid_best",
        "kid",
        "l1",
        "ssim",
        "seconds_per_iteration",
        "peak_memory_gb",
    )
    assert catalogue.OTHERS == (
        "fid_infinity",
        "sfid",
        "precision",
        "recall",
        "density",
        "coverage",
        "mind",
        "mmd",
        "vendi",
        "memorised",
        "perceptual",
        "self_similarity",
        "st_lpips_input",
        "edges",
        "st_lpips_truth",
        "st_lpips_diversity",
        "miou",
        "pixel_accuracy",
        "class_accuracy",
    )
    assert catalogue.COSTS == ("seconds_per_iteration", "peak_memory_gb")
    assert catalogue.OPERATIONS == ("gflop_per_pair", "gflop_per_image")
    best = catalogue.select(lambda m: m.source == "best" and m.family == "score")
    assert [METRICS[key].field for key in best] == ["fid", "fid_low", "fid_high"]


def test_a_bound_names_a_metric_and_has_no_direction():
    for metric in METRICS.values():
        if metric.part_of:
            assert metric.part_of in METRICS and metric.better == ""


def test_a_value_is_shown_with_scale_and_digits():
    assert METRICS["kid"].show(0.01234) == "12.3"
    assert METRICS["kid"].show(-0.00001) == "0.0"
    assert METRICS["miou"].show_signed(0.0) == "+0.0"
