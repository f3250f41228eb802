"""What is measured: names, labels, units and directions of all scores and costs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """How a measured quantity is called and shown: `value * scale` with `digits` decimals."""

    label: str
    unit: str
    better: str  # "lower", "higher" or "" for a fact without a direction
    digits: int
    scale: float = 1.0

    def show(self, value: float) -> str:
        """Return `value` as a table shows it; what rounds to zero has no sign."""
        return f"{value * self.scale:z.{self.digits}f}"

    def show_signed(self, value: float) -> str:
        """Return a difference as a table shows it: with its sign, a zero as +."""
        return f"{value * self.scale:+z.{self.digits}f}"


METRICS = {
    "fid": Metric("FID", "", "lower", 1),
    "fid_low": Metric("FID, lower bound", "", "", 1),
    "fid_high": Metric("FID, upper bound", "", "", 1),
    "fid_infinity": Metric("FID, extrapolated", "", "lower", 1),
    "fid_best": Metric("FID, best epoch", "", "lower", 1),
    "fid_best_low": Metric("FID, best epoch, lower bound", "", "", 1),
    "fid_best_high": Metric("FID, best epoch, upper bound", "", "", 1),
    "epoch_best": Metric("best epoch", "", "", 0),
    "kid": Metric("KID x1000", "1e-3", "lower", 1, 1000.0),
    "kid_std": Metric("KID x1000, sd over subsets", "1e-3", "", 1, 1000.0),
    "kid_low": Metric("KID x1000, lower bound", "1e-3", "", 1, 1000.0),
    "kid_high": Metric("KID x1000, upper bound", "1e-3", "", 1, 1000.0),
    "precision": Metric("precision", "", "higher", 3),
    "recall": Metric("recall", "", "higher", 3),
    "density": Metric("density", "", "higher", 3),
    "coverage": Metric("coverage", "", "higher", 3),
    "l1": Metric("L1", "of 255 levels / 255", "lower", 3),
    "ssim": Metric("SSIM", "", "higher", 3),
    "perceptual": Metric("content distance", "", "lower", 3),
    "self_similarity": Metric("self-similarity difference", "", "lower", 3),
    "miou": Metric("mIoU, %", "%", "higher", 1, 100.0),
    "pixel_accuracy": Metric("pixel accuracy, %", "%", "higher", 1, 100.0),
    "class_accuracy": Metric("class accuracy, %", "%", "higher", 1, 100.0),
    "seconds_per_iteration": Metric("s/iter", "s", "lower", 3),
    "peak_memory_gb": Metric("memory, GB", "GB (1e9 bytes)", "lower", 2),
    "iterations": Metric("iterations", "", "", 0),
    "images": Metric("images seen", "", "", 0),
}
SCORES = ("fid", "fid_low", "fid_high", "fid_infinity", "kid", "kid_std", "kid_low", "kid_high",
          "precision", "recall", "density", "coverage", "l1", "ssim", "perceptual",
          "self_similarity", "miou", "pixel_accuracy", "class_accuracy")  # fmt: skip
# What is taken from the scores of the best epoch, and as which of them.
BEST = {"fid_best": "fid", "fid_best_low": "fid_low", "fid_best_high": "fid_high"}
# What a machine needed: never compared with a published number.
COSTS = ("seconds_per_iteration", "peak_memory_gb")
PAIRED = ("l1", "ssim")  # taken between a translation and its input's true counterpart
