"""Draw what an encoder has learned: how similar input patches are to a patch of the translation.

For a run of CUT or a variant. Each map shows the cosine similarity of one patch of the translation
(the query) to every patch of its input, at one of the layers that PatchNCE compares. The vectors
are those that PatchNCE compares, after the projection heads, which the run keeps in `embedding.pt`.
The last two images show the first three principal components of the encoder's features at the
deepest of those layers as colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional as F

from cut.base.errors import UserError
from cut.base.image_files import by_stem
from cut.base.image_form import Images
from cut.base.images import as_rgb, read
from cut.base.random_streams import generator
from cut.base.tensor_files import read_tensors
from cut.base.tensors import to_image, to_tensor
from cut.methods.cut import Cut
from cut.metrics.image_folder import exported
from cut.nets.networks import ProjectionHeads
from cut.records.run import RunRecord
from cut.training.trained_run import load_run

WIDTH = 6.9  # inches: the width of a page
MIDDLE = (0.3, 0.7)  # the part of the height and of the width that queries are drawn from


def similarity(query: Tensor, keys: Tensor, place: tuple[float, float]) -> Tensor:
    """Return the cosine (H, W) of the query's vector at `place` and every vector of the keys.

    Args:
        query: (C, H, W) vectors of the translation.
        keys: (C, H, W) vectors of the input.
        place: (y, x) as shares of height and width, in [0, 1).
    """
    _, h, w = query.shape
    y, x = int(place[0] * h), int(place[1] * w)
    unit = F.normalize(keys, dim=0)
    return torch.einsum("c,chw->hw", F.normalize(query[:, y, x], dim=0), unit)


def unpadded(maps: Tensor, height: int, width: int) -> Tensor:
    """Return maps (..., H, W) without the border of a padding layer.

    Layer 0 is the input with 3 reflected pixels on each side, so a share of its height is another
    place than the same share of the image's height.
    """
    y, x = max(0, maps.shape[-2] - height) // 2, max(0, maps.shape[-1] - width) // 2
    return maps[..., y : maps.shape[-2] - y, x : maps.shape[-1] - x]


def principal_colours(maps: Sequence[Tensor]) -> list[np.ndarray]:
    """Return maps (C, H, W) as images (H, W, 3) in [0, 1]: their first 3 principal components.

    The components are those of all maps together, so that a colour means the same in each. Each
    component is scaled from its 2nd to its 98th percentile. Its sign, which is arbitrary, makes the
    largest weight positive.
    """
    rows = torch.cat([m.flatten(1).T for m in maps]).double()  # positions, C
    rows = rows - rows.mean(dim=0)
    _, _, axes = torch.linalg.svd(rows, full_matrices=False)
    axes = axes[:3]
    signs = torch.gather(axes, 1, axes.abs().argmax(dim=1, keepdim=True)).sign()
    parts = rows @ (axes * signs).T  # positions, 3
    low, high = np.percentile(parts.numpy(), (2, 98), axis=0)
    scaled = np.clip((parts.numpy() - low) / np.maximum(high - low, 1e-12), 0, 1)
    scaled = np.pad(scaled, ((0, 0), (0, 3 - scaled.shape[1])))
    out, start = [], 0
    for m in maps:
        h, w = m.shape[1:]
        out.append(scaled[start : start + h * w].reshape(h, w, 3))
        start += h * w
    return out


def embedded(heads: ProjectionHeads, maps: Sequence[Tensor]) -> list[Tensor]:
    """Return the heads' unit vectors of every position: (N, width, H_l, W_l) per layer."""
    ids = [torch.arange(m.shape[-2] * m.shape[-1]) for m in maps]
    vectors = zip(heads(maps, ids), maps, strict=True)  # (N, H_l*W_l, width) per layer
    return [v.transpose(1, 2).unflatten(2, m.shape[-2:]) for v, m in vectors]


def load_encoder(run: Path) -> tuple[RunRecord, Cut]:
    """Return a run's record, and its method with the trained encoder and heads.

    Raises:
        UserError: the run's method is no variant of CUT, or the run did not keep its heads.
    """
    record, method = load_run(run)
    if not isinstance(method, Cut):
        raise UserError(
            f"{record.method} is no variant of CUT: it compares no patches of an encoder"
        )
    if method.embedding_state():
        path = run / "embedding.pt"
        state = read_tensors(path, "a run's projection heads")
        try:
            method.load_embedding_state(state)
        except (RuntimeError, KeyError, TypeError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"{path} doesn't hold the run's heads: {reason}") from None
    method.train(False)
    return record, method


@dataclass(frozen=True)
class Encoded:
    """What an encoder makes of inputs and their translations.

    Attributes:
        images: (N, 3, H, W), the inputs and the translations.
        vectors: per layer, (N, C, H_l, W_l) for the translations (queries) and the inputs (keys).
        colours: components as colours (H_l, W_l, 3): one per input, then one per translation.
    """

    images: tuple[Tensor, Tensor]
    vectors: list[tuple[Tensor, Tensor]]
    colours: list[np.ndarray]


def encode(method: Cut, images: Tensor) -> Encoded:
    """Return what the encoder makes of `images` (N, 3, H, W) and of their translations."""
    layers = method.options.nce_layers
    with torch.inference_mode():
        out = method.translate(images)
        maps = [
            [unpadded(m, *images.shape[-2:]) for m in encoder.encode(x, layers)]
            for encoder, x in ((method.G, images), (method.query_encoder, out))
        ]
        keys, queries = embedded(method.F, maps[0]), embedded(method.query_heads, maps[1])
    deep = layers.index(max(layers))
    colours = principal_colours([*maps[0][deep], *maps[1][deep]])
    return Encoded((images, out), list(zip(queries, keys, strict=True)), colours)


def draw(run: Path, test: Path, names: Sequence[str], seed: int) -> Figure:
    """Draw one row per test image in `names`: query, input, similarities, components.

    Raises:
        UserError: as `load_encoder`.
    """
    record, method = load_encoder(run)
    layers = method.options.nce_layers
    sources = by_stem(exported(test / "source").path)
    images = torch.stack([to_tensor(read(sources[name], method.images.source)) for name in names])
    found = encode(method, images)
    columns = 4 + len(layers)
    height = WIDTH / columns * images.shape[2] / images.shape[3] + 0.13
    size = (WIDTH, height * len(names) + 0.5)
    figure, axes = plt.subplots(
        len(names), columns, squeeze=False, layout="constrained", figsize=size
    )
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    words = (
        f"{record.method}: cosine of the marked patch of the translation to each patch of the"
        f" input, by layer; components of layer {max(layers)}"
    )
    figure.suptitle(words, fontsize=7, x=0.01, ha="left")
    titles = ["translation", "input", *(f"layer {n}" for n in layers)]
    titles += ["components,\ninput", "components,\noutput"]
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title(title, fontsize=7)
    for row, name in enumerate(names):
        place = _place(seed, name)
        for column, picture in enumerate(_pictures(found, row, place, method.images)):
            _panel(axes[row][column], picture, place, marked=column < 2 + len(layers))
    return figure


def _pictures(found: Encoded, row: int, place: tuple[float, float], of: Images) -> list[np.ndarray]:
    """Return a row's pictures: images (H, W, 3), and maps (H, W) of similarities."""
    images, out = found.images
    maps = [similarity(queries[row], keys[row], place) for queries, keys in found.vectors]
    both = to_image(out[row], of.target), to_image(images[row], of.source)
    shown = [np.asarray(as_rgb(image)) for image in both]
    shown += [m.numpy() for m in maps]
    return [*shown, found.colours[row], found.colours[len(images) + row]]


def _place(seed: int, name: str) -> tuple[float, float]:
    """Return the place of an image's query, drawn from the middle part."""
    low, high = MIDDLE
    y, x = (low + (high - low) * torch.rand(2, generator=generator(seed, "query", name))).tolist()
    return y, x


def _panel(ax: Axes, picture: np.ndarray, place: tuple[float, float], marked: bool) -> None:
    """Draw an image, or a map with its range below it; mark the query's place."""
    h, w = picture.shape[:2]
    ax.imshow(picture, cmap="viridis", interpolation="nearest")
    if picture.ndim == 2:
        # Each map has its own range. Without it, nearly equal values would look like contrast.
        words = f"{picture.min():.2f} to {picture.max():.2f}".replace("-", "\N{MINUS SIGN}")
        below = {"xycoords": "axes fraction", "textcoords": "offset points"}
        ax.annotate(words, (0.5, 0), (0, -2), fontsize=6, va="top", ha="center", **below)
    if marked:
        mark = {"marker": "s", "ms": 5, "mfc": "none"}
        for colour, width in (("white", 1.6), ("black", 0.7)):
            ax.plot(int(place[1] * w), int(place[0] * h), mec=colour, mew=width, **mark)
    ax.set_axis_off()
