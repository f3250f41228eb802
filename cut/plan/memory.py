"""The memory that a job asks a cluster for.

The figures are peaks of whole processes, measured on a CPU with one thread (docs/scale.md), and
rounded up: a job that asks for too little is killed.
"""

from __future__ import annotations

from pathlib import Path

from cut.base.image_size import height_width
from cut.plan.config import Config
from cut.plan.rows import PlannedRow
from cut.records.job import JobRecord

MEGABYTE = 10**6
# Megabytes of a process that has loaded torch, and of the Snakemake processes around it.
PROCESS = 1200
# The Inception network on a batch of images.
INCEPTION = 400
# Bytes per pixel of a batch of HED, which has up to 8 images of 256x256 pixels, or one larger one.
EDGES = 900
EDGES_PIXELS = 8 * 256 * 256
# Bytes per pixel, channel of the generator's first layer and image of a batch: all that a training
# step keeps, and what a translation has at one time.
KEPT = 900
ALIVE = 35
# Bytes per squared channel of the first layer: weights, gradients, and Adam's two moments. A
# translation has the weights alone.
WEIGHTS = 280_000
# Channels of the first layer of a method without the option `ngf`.
WIDTH = 64
# On a GPU, maps and weights are in its own memory. This is for CUDA's libraries.
CUDA = 6000
# Decoded training images that `cache_images` keeps, and each process that loads images.
CACHE = 2000
LOADER = 500


def training_mb(row: PlannedRow, config: Config) -> int:
    """Return the megabytes of memory that the training of a row needs."""
    if not row.trained:
        return PROCESS
    loop = {**row.training, **row.loop}
    loaders = LOADER * loop.get("workers", 0) + CACHE * bool(loop.get("cache_images"))
    size = row.every_training.get("crop_size") or config.size
    return loaders + _network_mb(row, config, size, KEPT * loop.get("batch_size", 1), WEIGHTS)


def translating_mb(row: PlannedRow, config: Config) -> int:
    """Return the megabytes of memory that translating with a row needs."""
    if not row.trained:
        return PROCESS
    maps = ALIVE * config.translate_batch_size
    return _network_mb(row, config, config.size, maps, WEIGHTS // 4)


def scoring_mb(config: Config) -> int:
    """Return the megabytes of memory that Inception features and scores need."""
    if config.device == "cuda":
        return CUDA
    height, width = height_width(config.size)
    pixels = max(EDGES_PIXELS, height * width) if "edges" in config.extra_scores else 0
    return PROCESS + max(INCEPTION, pixels * EDGES // MEGABYTE)


def _network_mb(row: PlannedRow, config: Config, size: int | str, maps: int, weights: int) -> int:
    """Return the megabytes of a process that runs a row's networks.

    Args:
        row: its options give the width.
        config: gives the device.
        size: of the images, in pixels.
        maps: bytes per pixel and channel of the first layer.
        weights: bytes per squared channel of the first layer.
    """
    if config.device == "cuda":
        return CUDA
    height, width = height_width(size)
    channels = row.options.get("ngf", WIDTH)
    values = height * width * channels
    return PROCESS + (values * maps + weights * channels**2) // MEGABYTE


def after(attempt: int, needed: int, status: Path) -> int:
    """Return the megabytes that an attempt of a job asks for.

    A job that ran out of memory was killed and could not say so: its status file still says
    "running". Only then the second attempt asks for twice as much, and the third for three times. A
    job that failed, was cancelled or reached its time limit says so, and asks for the same again.

    Args:
        attempt: 1 for the first.
        needed: megabytes that the job needs.
        status: the status file of the attempt before.
    """
    job = JobRecord.find(status) if attempt > 1 else None
    return needed * attempt if job and job.state == "running" else needed
