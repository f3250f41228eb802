"""Drawing what an encoder has learned: which patches of the input a patch of the output is like.

For a run of CUT's family. From a patch of the translation (the query), the cosine similarity to
every patch of its input, at each layer that PatchNCE compared: of the vectors z that PatchNCE
itself compares, after the projection heads, which the run keeps in `embedding.pt`. And the first
three principal components of the encoder's features at the deepest of those layers, as colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional as F

from cut.base.errors import UserError
from cut.base.images import by_stem, read_image
from cut.base.random_streams import generator
from cut.base.tensors import read_tensors, to_image, to_tensor
from cut.methods.cut import Cut
from cut.nets.networks import ProjectionHeads
from cut.training.trained_run import load_run

WIDTH = 6.9  # inches: the width of a page
MIDDLE = (0.3, 0.7)  # queries lie in this part of the height and of the width


def similarity(query: Tensor, keys: Tensor, place: tuple[float, float]) -> Tensor:
    """Return the cosine (H, W) of the query map's vector at `place` to every vector of the keys.

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
    """Return maps (..., H, W) without the border that a padding layer put around the image.

    Layer 0 is the input with 3 pixels of reflection on each side: a share of its height is no
    share of the image's.
    """
    y, x = max(0, maps.shape[-2] - height) // 2, max(0, maps.shape[-1] - width) // 2
    return maps[..., y : maps.shape[-2] - y, x : maps.shape[-1] - x]


def principal_colours(maps: Sequence[Tensor]) -> list[np.ndarray]:
    """Return maps (C, H, W) as images (H, W, 3) in [0, 1]: their first 3 principal components.

    The components are those of all maps together, so that a colour means the same in each; a
    component goes from its 2nd to its 98th percentile. Its sign, which is arbitrary, is the one
    that makes the largest weight positive.
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
    """Return what `heads` make of every position: (N, width, H_l, W_l) unit vectors a layer."""
    ids = [torch.arange(m.shape[-2] * m.shape[-1]) for m in maps]
    vectors = zip(heads(maps, ids), maps, strict=True)  # (N, H_l*W_l, width) a layer
    return [v.transpose(1, 2).unflatten(2, m.shape[-2:]) for v, m in vectors]


def load_encoder(run: Path) -> tuple[dict[str, Any], Cut]:
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
        state = read_tensors(path, "a run's projection heads; delete its folder and train it again")
        try:
            method.load_embedding_state(state)
        except (RuntimeError, KeyError, TypeError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"{path} doesn't hold the run's heads: {reason}") from None
    method.train(False)
    return record, method


def draw(run: Path, test: Path, names: Sequence[str], seed: int) -> Figure:
    """Draw a row for each test image in `names`: query, input, similarities, components.

    Raises:
        UserError: as `load_encoder`.
    """
    record, method = load_encoder(run)
    layers = method.options.nce_layers
    sources = by_stem(test / "source")
    images = torch.stack([to_tensor(read_image(sources[name])) for name in names])
    with torch.inference_mode():
        out = method.translate(images)
        maps = [
            [unpadded(m, *images.shape[-2:]) for m in encoder.encode(x, layers)]
            for encoder, x in ((method.G, images), (method.query_encoder, out))
        ]
        keys, queries = embedded(method.F, maps[0]), embedded(method.query_heads, maps[1])
    deep = layers.index(max(layers))
    colours = principal_colours([*maps[0][deep], *maps[1][deep]])
    cell = WIDTH / (4 + len(layers)) * images.shape[2] / images.shape[3]
    figure, axes = plt.subplots(
        len(names), 4 + len(layers), squeeze=False, layout="constrained",
        figsize=(WIDTH, (cell + 0.13) * len(names) + 0.5),
    )  # fmt: skip
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    figure.suptitle(
        f"{record.method}: cosine of the marked patch of the translation to each patch of the"
        f" input, by layer; components of layer {layers[deep]}",
        fontsize=7, x=0.01, ha="left",
    )  # fmt: skip
    titles = ["translation", "input", *(f"layer {n}" for n in layers)]
    titles += [f"components, {side}" for side in ("input", "output")]
    for row, name in enumerate(names):
        place = _place(seed, name)
        shown = [np.asarray(to_image(x)) for x in (out[row], images[row])]
        shown += [similarity(q[row], k[row], place).numpy()
                  for q, k in zip(queries, keys, strict=True)]  # fmt: skip
        shown += [colours[row], colours[len(names) + row]]
        for column, (ax, picture) in enumerate(zip(axes[row], shown, strict=True)):
            _panel(ax, picture, place, marked=column < 2 + len(layers))
            if row == 0:
                ax.set_title(titles[column].replace(", ", ",\n"), fontsize=7)
    return figure


def _place(seed: int, name: str) -> tuple[float, float]:
    """Return where an image's query lies: drawn from the middle part."""
    low, high = MIDDLE
    y, x = (low + (high - low) * torch.rand(2, generator=generator(seed, "query", name))).tolist()
    return y, x


def _panel(ax: Axes, picture: np.ndarray, place: tuple[float, float], marked: bool) -> None:
    h, w = picture.shape[:2]
    if picture.ndim == 2:
        ax.imshow(picture, cmap="viridis", interpolation="nearest")
        # Each map has a range of its own: without it a map of equal values looks like contrast.
        words = f"{picture.min():.2f} to {picture.max():.2f}".replace("-", "\N{MINUS SIGN}")
        ax.annotate(words, (0.5, 0), (0, -2), xycoords="axes fraction", fontsize=6, va="top",
                    ha="center", textcoords="offset points")  # fmt: skip
    else:
        ax.imshow(picture, interpolation="nearest")
    if marked:
        ax.plot(int(place[1] * w), int(place[0] * h), marker="s", ms=5, mfc="none", mec="white",
                mew=1.6)  # fmt: skip
        ax.plot(int(place[1] * w), int(place[0] * h), marker="s", ms=5, mfc="none", mec="black",
                mew=0.7)  # fmt: skip
    ax.set_axis_off()
