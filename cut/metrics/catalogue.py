"""The catalogue of metrics. Every list of metrics in the project is a selection from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

OPERATION = "1e9 floating-point operations"
Need = Literal["truth", "input", "labels", "snapshots", "training", "network"]


@dataclass(frozen=True)
class Metric:
    """One measured quantity.

    Attributes:
        key: its name in code, tables and records.
        label: its title in tables and figures, with the scale.
        unit: of the values stored; "" without one.
        better: "lower", "higher", or "" for a quantity without a direction.
        digits: decimals shown.
        scale: a table shows `value * scale`.
        family: "score" (of translations), "cost" (of a training) or "fact" (about a training).
        source: the record that holds it: scores.json, run.json, the head of the translations'
            manifest, best.json with the scores of the best epoch, or diversity.json.
        field: its name in that record; `key` by default.
        divisor: the record's number is divided by this to give the value.
        needs: what has to be known: true counterparts ("truth"), inputs, label maps, features of
            the training images, another network than Inception, or generators kept along the way
            ("snapshots").
        headline: whether it has a column in the main table.
        part_of: the metric that this one bounds, or whose spread it is; "" otherwise.
    """

    key: str
    label: str
    unit: str = ""
    better: Literal["lower", "higher", ""] = ""
    digits: int = 1
    scale: float = 1.0
    family: Literal["score", "cost", "fact"] = "score"
    source: Literal["scores", "run", "translated", "best", "diversity"] = "scores"
    field: str = ""
    divisor: float = 1.0
    needs: tuple[Need, ...] = ()
    headline: bool = False
    part_of: str = ""

    def __post_init__(self) -> None:
        """Take the key as the field's name where none is given."""
        if not self.field:
            object.__setattr__(self, "field", self.key)

    @property
    def paired(self) -> bool:
        """Return whether it compares a translation with the true counterpart of its input."""
        return "truth" in self.needs

    def show(self, value: float) -> str:
        """Return `value` as a table shows it; a value that rounds to zero has no sign."""
        return f"{value * self.scale:z.{self.digits}f}"

    def show_signed(self, value: float) -> str:
        """Return a difference as a table shows it, with its sign; zero has a plus."""
        return f"{value * self.scale:+z.{self.digits}f}"


def _fid(key: str, label: str, better: Literal["lower", ""] = "", **more: object) -> Metric:
    return Metric(key, label, better=better, **more)


def _kid(key: str, label: str, better: Literal["lower", ""] = "", **more: object) -> Metric:
    return Metric(key, f"KID x1000{label}", "1e-3", better, 1, 1000.0, **more)


def _best(key: str, label: str, field: str, **more: object) -> Metric:
    return Metric(key, label, source="best", field=field, needs=("snapshots",), **more)


def _share(key: str, label: str) -> Metric:
    return Metric(key, label, better="higher", digits=3)


def _gflop(key: str, label: str, **more: object) -> Metric:
    return Metric(key, label, OPERATION, "lower", 2, family="fact", divisor=1e9, **more)


def _percent(key: str, label: str) -> Metric:
    return Metric(key, f"{label}, %", "%", "higher", 1, 100.0, needs=("labels",))


METRICS: dict[str, Metric] = {
    metric.key: metric
    for metric in (
        _fid("fid", "FID", "lower", headline=True),
        _fid("fid_low", "FID, lower bound", part_of="fid"),
        _fid("fid_high", "FID, upper bound", part_of="fid"),
        _fid("fid_infinity", "FID, extrapolated", "lower"),
        _fid("sfid", "sFID", "lower"),
        _best("fid_best", "FID, best epoch", "fid", better="lower", headline=True),
        _best("fid_best_low", "FID, best epoch, lower bound", "fid_low", part_of="fid_best"),
        _best("fid_best_high", "FID, best epoch, upper bound", "fid_high", part_of="fid_best"),
        _best("epoch_best", "best epoch", "epoch", digits=0, family="fact"),
        _kid("kid", "", "lower", headline=True),
        _kid("kid_std", ", sd over subsets", part_of="kid"),
        _kid("kid_low", ", lower bound", part_of="kid"),
        _kid("kid_high", ", upper bound", part_of="kid"),
        _share("precision", "precision"),
        _share("recall", "recall"),
        _share("density", "density"),
        _share("coverage", "coverage"),
        Metric("mind", "MIND", better="lower"),
        Metric("mmd", "Gaussian MMD x1000", "1e-3", "lower", 1, 1000.0),
        Metric("vendi", "Vendi score", "images", "higher", 2),
        Metric("memorised", "memorised share", "", "lower", 3, needs=("training",)),
        Metric("l1", "L1", "of 255 levels / 255", "lower", 3, needs=("truth",), headline=True),
        Metric("ssim", "SSIM", "", "higher", 3, needs=("truth",), headline=True),
        Metric("perceptual", "content distance", "", "lower", 3, needs=("input",)),
        Metric("self_similarity", "self-similarity difference", "", "lower", 3, needs=("input",)),
        Metric(
            "st_lpips_input", "ST-LPIPS to the input", "", "lower", 3, needs=("input", "network")
        ),
        Metric("edges", "edge agreement", "", "higher", 3, needs=("input", "network")),
        Metric("st_lpips_truth", "ST-LPIPS", "", "lower", 3, needs=("truth", "network")),
        Metric(
            "st_lpips_diversity",
            "ST-LPIPS diversity",
            "",
            "higher",
            3,
            source="diversity",
            field="st_lpips",
            needs=("network",),
        ),
        _percent("miou", "mIoU"),
        _percent("pixel_accuracy", "pixel accuracy"),
        _percent("class_accuracy", "class accuracy"),
        Metric(
            "seconds_per_iteration",
            "s/iter",
            "s",
            "lower",
            3,
            family="cost",
            source="run",
            headline=True,
        ),
        Metric(
            "peak_memory_gb",
            "memory, GB",
            "GB (1e9 bytes)",
            "lower",
            2,
            family="cost",
            source="run",
            field="peak_memory_bytes",
            divisor=1e9,
            headline=True,
        ),
        _gflop("gflop_per_pair", "GFLOP/pair", source="run", field="operations_per_pair"),
        _gflop("gflop_per_image", "GFLOP/image", source="translated", field="operations_per_image"),
        Metric("iterations", "iterations", digits=0, family="fact", source="run"),
        Metric("images", "images seen", digits=0, family="fact", source="run", field="images_seen"),
    )
}


def select(wanted: Callable[[Metric], bool]) -> tuple[str, ...]:
    """Return the keys of the metrics that are `wanted`, in the order of the catalogue."""
    return tuple(key for key, metric in METRICS.items() if wanted(metric))


# What scores.json holds of the last epoch.
SCORES = select(lambda m: m.source == "scores")
# The columns of the main table, and the scores that a table of their own shows.
HEADLINE = select(lambda m: m.headline)
OTHERS = select(lambda m: m.source in ("scores", "diversity") and bool(m.better) and not m.headline)
# What a machine needed: never compared with a published number.
COSTS = select(lambda m: m.family == "cost")
# Counted and not timed: the same on any machine.
OPERATIONS = select(lambda m: m.unit == OPERATION)
# Between a translation and the true counterpart of its input.
PAIRED = select(lambda m: m.paired)
# What a segmentation network recovers from the translations.
SEGMENTATION = select(lambda m: "labels" in m.needs)
