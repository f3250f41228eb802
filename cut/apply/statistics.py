"""Means and deviations of a network's norms, taken from one image and used for others.

Instance norm subtracts a channel's mean over the whole map and divides by its deviation. A tile has
another mean than the image that it is cut from, so a flat sky and a meadow become equally bright.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode


class Statistics(TorchFunctionMode):
    """Inside its `with` block, instance and group norms use the statistics of the first pass.

    The first block is one pass of the network; it keeps the mean and the variance of each norm in
    the order of their calls. Each later block is another pass of the same network, with one image,
    and uses them. Both have one image.

    Attributes:
        kept: (mean, variance) of each norm, (1, groups, 1) each.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[tuple[Tensor, Tensor]] = []
        self._passes = self._calls = 0

    def __enter__(self) -> Statistics:
        """Begin a pass."""
        self._calls = 0
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        """End a pass."""
        self._passes += 1
        super().__exit__(*error)

    def __torch_function__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Replace a norm, and leave every other function as it is."""
        kwargs = kwargs or {}
        if func is F.group_norm:
            return self._group_norm(*args, **kwargs)
        if func is F.instance_norm and kwargs.get("use_input_stats", True):
            named = {k: kwargs[k] for k in ("weight", "bias", "eps") if k in kwargs}
            return self._group_norm(args[0], args[0].shape[1], **named)
        return func(*args, **kwargs)

    def _group_norm(
        self,
        x: Tensor,
        groups: int,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        eps: float = 1e-5,
    ) -> Tensor:
        """Return the norm of (1, C, H, W) with the kept statistics; keep them in the first pass."""
        values = x.reshape(len(x), groups, -1)
        if not self._passes:
            moments = torch.var_mean(values, dim=2, correction=0, keepdim=True)
            self.kept.append((moments[1], moments[0]))
        mean, variance = self.kept[self._calls]
        self._calls += 1
        y = ((values - mean) * torch.rsqrt(variance + eps)).reshape(x.shape)
        if weight is not None:
            y = y * weight[:, None, None]
        return y if bias is None else y + bias[:, None, None]
