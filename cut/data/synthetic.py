"""A generated data set: animals with plain coats (source) and with stripes (target).

A scene is an animal in savanna grass. Pose, scale, place, coat, light, ground and bushes are drawn
from a seed. Source and target scenes are independent draws from the same distribution, except that
target animals have stripes, which follow their anatomy. Each test source has its true counterpart
(`truthB`: the same scene with stripes) and a mask of its animal (`maskA`), so that what a
translation keeps and changes can be measured exactly. Training uses neither.

The pixels are the same on every machine: random numbers come from Python's Mersenne twister, and
arrays use only operations that IEEE 754 rounds exactly (+ - * /, comparisons, floor).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from cut.base.errors import UserError
from cut.base.images import write_png
from cut.base.parallel import in_threads

SUPERSAMPLING = 3  # samples per pixel and axis; a pixel is their mean
COATS = [(0.42, 0.25, 0.13), (0.50, 0.31, 0.16), (0.30, 0.19, 0.13), (0.33, 0.31, 0.30)]
WHITE, BLACK = (0.95, 0.93, 0.88), (0.09, 0.08, 0.08)

Array = np.ndarray  # float32 in [0, 1] unless said otherwise


class Scene(NamedTuple):
    """An image (S,S,3), the scene with stripes (S,S,3), and the animal's mask (S,S), all uint8."""

    plain: Array
    striped: Array
    mask: Array


@dataclass(frozen=True)
class Part:
    """A limb or the trunk: a tapered capsule from `a` to `b`, in units of the body's length.

    `bands` is the number of stripes from `a` to `b`; `phase` shifts them and `bend` curves them.
    """

    a: tuple[float, float]
    b: tuple[float, float]
    radius_a: float
    radius_b: float
    bands: float
    phase: float = 0.0
    bend: float = 0.0
    shade: float = 1.0

    def box(self, xs: Array, ys: Array) -> tuple[slice, slice]:
        """Return the rows and columns of the given coordinates that the part can touch."""
        radius = max(self.radius_a, self.radius_b)
        slices = []
        for axis, values in ((1, ys), (0, xs)):
            low = min(self.a[axis], self.b[axis]) - radius
            high = max(self.a[axis], self.b[axis]) + radius
            (near,) = np.nonzero((values >= low) & (values <= high))
            slices.append(slice(near[0], near[-1] + 1) if len(near) else slice(0, 0))
        return slices[0], slices[1]

    def cover(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Return two masks: where the part is, and where its stripes are black."""
        dx, dy = self.b[0] - self.a[0], self.b[1] - self.a[1]
        length2 = dx * dx + dy * dy
        px, py = x - self.a[0], y - self.a[1]
        along = (px * dx + py * dy) / length2
        t = np.minimum(np.maximum(along, 0.0), 1.0)
        qx, qy = px - t * dx, py - t * dy
        distance2 = qx * qx + qy * qy
        radius = self.radius_a + t * (self.radius_b - self.radius_a)
        wave = along * self.bands + self.phase + self.bend * distance2 / (radius * radius)
        return distance2 < radius * radius, wave - np.floor(wave) < 0.40


def animal(rng: random.Random) -> list[Part]:
    """Return the parts of an animal that faces right, the far side first, feet at y = 0.62."""
    swing = [_between(rng, -0.07, 0.07) for _ in range(4)]
    lift, reach = _between(rng, 0.20, 0.46), _between(rng, 0.16, 0.28)
    shift = _between(rng, -0.08, 0.08)  # stripes differ a little between animals
    legs = []
    for index, hip in enumerate((-0.34, 0.36, -0.26, 0.28)):
        far = index < 2
        foot = (hip + swing[index], 0.60 if far else 0.62)
        legs.append(Part((hip, 0.08), foot, 0.085, 0.045, 3.0, 0.2, shade=0.8 if far else 1.0))
    neck = (0.36 + reach, -0.08 - lift)
    nose = (neck[0] + 0.25, neck[1] + _between(rng, 0.02, 0.14))
    ear = (neck[0] - 0.04, neck[1] - 0.15)
    tail = (-0.58, 0.22 + _between(rng, -0.08, 0.08))
    return [
        *legs[:2],
        Part((-0.44, -0.05), tail, 0.030, 0.035, 2.0),
        Part((neck[0] - 0.02, neck[1]), ear, 0.045, 0.025, 1.0),
        *legs[2:],
        Part((0.32, -0.03), neck, 0.165, 0.095, 2.0, shift, 0.10),
        Part((-0.29, 0.0), (0.31, 0.0), 0.215, 0.215, 3.0, shift, 0.15),
        Part(neck, nose, 0.100, 0.065, 2.0, 0.3),
    ]


def draw(seed: int, split: str, domain: str, index: int, size: int) -> Scene:
    """Draw one scene. Its content does not depend on `size` (pixels per side).

    Raises:
        UserError: `size` is below 16.
    """
    if size < 16:
        raise UserError(f"size is {size}; a scene needs 16 pixels per side or more")
    rng = random.Random(f"{seed}/{split}/{domain}/{index}")
    n = size * SUPERSAMPLING
    grid = ((np.arange(n) + 0.5) / n).astype(np.float32)
    x, y = np.broadcast_to(grid, (n, n)), np.broadcast_to(grid[:, None], (n, n))
    light = _between(rng, 0.94, 1.04)
    ground = _landscape(rng, x, y)
    unit = _between(rng, 0.54, 0.62)  # the body's length, as a share of the image
    centre = (_between(rng, 0.44, 0.50), _between(rng, 0.50, 0.58))
    facing = 1 if rng.random() < 0.5 else -1
    u = (x - (centre[0] if facing > 0 else 1 - centre[0])) * facing / unit
    v = (y - centre[1]) / unit
    ground = ground * _shadow(u, v)[..., None]
    parts = animal(rng)
    inside, black, shade = _compose(parts, u, v)
    coat = COATS[int(rng.random() * len(COATS))]
    shade = shade * (1.06 - 0.45 * np.maximum(v, -0.3))
    stripes = np.where(black[..., None], _rgb(BLACK), _rgb(WHITE))
    eye = _eye(parts[-1], u, v)
    images = []
    for colours in (_rgb(coat), stripes):
        body = np.where(eye[..., None], _rgb(BLACK), colours * shade[..., None])
        picture = np.where(inside[..., None], body, ground) * light
        images.append(_pixels(_shrink(picture)))
    return Scene(
        images[0], images[1], _pixels(_shrink(inside[..., None].astype(np.float32)))[..., 0]
    )


def _compose(parts: Sequence[Part], u: Array, v: Array) -> tuple[Array, Array, Array]:
    """Return masks of the animal and of its black stripes, and its shading."""
    inside = np.zeros(u.shape, bool)
    black = np.zeros(u.shape, bool)
    shade = np.ones(u.shape, np.float32)
    for part in parts:
        box = part.box(u[0], v[:, 0])
        here, stripe = part.cover(u[box], v[box])
        inside[box] |= here
        black[box] = np.where(here, stripe, black[box])
        shade[box] = np.where(here, part.shade, shade[box])
    return inside, black, shade


def _eye(head: Part, u: Array, v: Array) -> Array:
    """Return the mask of the eye, a dot at a third of the head."""
    ex = head.a[0] + 0.35 * (head.b[0] - head.a[0])
    ey = head.a[1] + 0.35 * (head.b[1] - head.a[1]) - 0.02
    return (u - ex) * (u - ex) + (v - ey) * (v - ey) < 0.028 * 0.028


def _landscape(rng: random.Random, x: Array, y: Array) -> Array:
    """Return sky, grass and bushes, (n,n,3) in about [0, 1]."""
    horizon = _between(rng, 0.24, 0.38)
    sky = _rgb((0.55, 0.70, 0.86)) + (y / horizon)[..., None] * _rgb((0.22, 0.14, 0.05))
    hue = rng.random()
    near = _rgb((0.60 - 0.10 * hue, 0.58 - 0.03 * hue, 0.30 - 0.04 * hue))
    depth = (y - horizon) / (1 - horizon)
    grass = near * (1.12 - 0.22 * depth)[..., None]
    texture = 1 + 0.14 * _noise(rng, len(x), 6)
    grass = grass * texture[..., None]
    picture = np.where((y < horizon)[..., None], sky, grass)
    for _ in range(2 + int(rng.random() * 3)):
        bx, width = rng.random(), _between(rng, 0.05, 0.13)
        height = width * _between(rng, 0.5, 0.9)
        dx, dy = (x - bx) / width, (y - horizon) / height
        bush = (dx * dx + dy * dy < 1) & (y < horizon + 0.3 * height)
        green = _rgb((0.30, 0.38, 0.18)) * _between(rng, 0.85, 1.15)
        picture = np.where(bush[..., None], green, picture)
    return picture


def _shadow(u: Array, v: Array) -> Array:
    """Return the share of the light that reaches the ground under the animal."""
    dx, dy = u / 0.55, (v - 0.62) / 0.07
    return 1 - 0.35 * np.maximum(0.0, 1 - (dx * dx + dy * dy))


def _noise(rng: random.Random, n: int, cells: int) -> Array:
    """Return (n,n) smooth noise in [-1, 1]: values at the corners of squares, interpolated."""
    corners = np.array([[2 * rng.random() - 1 for _ in range(cells + 1)] for _ in range(cells + 1)])
    # The noise is smooth, so one value per pixel is enough for all its samples.
    at = (np.arange(n // SUPERSAMPLING) + 0.5) / (n // SUPERSAMPLING) * cells
    low = np.floor(at).astype(int)
    part = at - low
    rows = corners[low] + part[:, None] * (corners[low + 1] - corners[low])
    noise = rows[:, low] + part * (rows[:, low + 1] - rows[:, low])
    noise = noise.astype(np.float32)
    return np.repeat(np.repeat(noise, SUPERSAMPLING, axis=0), SUPERSAMPLING, axis=1)


def _shrink(picture: Array) -> Array:
    """Return the mean of each pixel's samples, summed in a fixed order."""
    s = SUPERSAMPLING
    parts = [picture[i::s, j::s] for i in range(s) for j in range(s)]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total / (s * s)


def _pixels(picture: Array) -> Array:
    """Return values in [0, 1] as uint8."""
    return np.floor(np.minimum(np.maximum(picture, 0.0), 1.0) * 255 + 0.5).astype(np.uint8)


def _rgb(colour: tuple[float, float, float]) -> Array:
    return np.array(colour, np.float32)


def _between(rng: random.Random, low: float, high: float) -> float:
    return low + (high - low) * rng.random()


def generate(out: Path, size: int = 64, train: int = 400, test: int = 200, seed: int = 0) -> None:
    """Write trainA, trainB, testA, testB, truthB and maskA below `out` as PNG.

    Raises:
        UserError: a size below 16, or less than one image per kind.
    """
    if train < 1 or test < 1:
        raise UserError(f"train is {train} and test is {test}; both have to be 1 or more")

    def write(job: tuple[str, int]) -> None:
        split, index = job
        name = f"{index:04d}.png"
        source = draw(seed, split, "source", index, size)
        target = draw(seed, split, "target", index, size)
        write_png(out / f"{split}A" / name, Image.fromarray(source.plain))
        write_png(out / f"{split}B" / name, Image.fromarray(target.striped))
        if split == "test":
            write_png(out / "truthB" / name, Image.fromarray(source.striped))
            write_png(out / "maskA" / name, Image.fromarray(source.mask))

    jobs = [("train", i) for i in range(train)] + [("test", i) for i in range(test)]
    in_threads(write, jobs, "draw the scenes")
