"""The optimizer of DECENT's densities, and the average of their weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer


class UncorrectedAmsgrad(Optimizer):
    """Adam with AMSGrad on the uncorrected second moment, as in DECENT's release.

    With m and v the moving averages of the gradient and its square, and V the largest v so far:
    w <- w - lr * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(V) + eps). torch's AMSGrad adds eps after
    the correction of v.

    Args:
        parameters: to train.
        lr: learning rate.
        betas: (b1, b2), the decays of m and v.
        eps: added to the root.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        # The number of steps is an entry of the group, which the state of the optimizer includes.
        super().__init__(parameters, {"lr": lr, "betas": betas, "eps": eps, "steps": 0})

    @property
    def steps(self) -> int:
        """Return the number of steps taken."""
        return self.param_groups[0]["steps"]

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Take one step on the gradients of the parameters."""
        for group in self.param_groups:
            group["steps"] += 1
            b1, b2 = group["betas"]
            correction = (1 - b2 ** group["steps"]) ** 0.5 / (1 - b1 ** group["steps"])
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state |= {name: torch.zeros_like(p) for name in ("mean", "square", "largest")}
                state["mean"].lerp_(p.grad, 1 - b1)
                state["square"].mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
                torch.maximum(state["largest"], state["square"], out=state["largest"])
                root = state["largest"].sqrt().add_(group["eps"])
                p.addcdiv_(state["mean"], root, value=-group["lr"] * correction)


@torch.no_grad()
def follow(average: nn.Module, live: nn.Module, decay: float, steps: int = 0) -> None:
    """Move the average of weights, which starts at zero, by one step.

    Args:
        average: of the same form as `live`.
        live: the weights after a step.
        decay: share of the average that is kept.
        steps: taken so far, this one included; corrects the start at zero, as Adam's moments are
            corrected. 0: no correction.
    """
    share = (1 - decay) / (1 - decay**steps) if steps else 1 - decay
    for mean, p in zip(average.parameters(), live.parameters(), strict=True):
        mean.lerp_(p, share)
