"""A moving average of the generator's weights, which translates in place of the last weights.

The average changes nothing in the training: the losses are those of the weights themselves.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from cut.methods.contract import Method

WARM_UP = 10  # steps


def decay_at(step: int, decay: float) -> float:
    """Return the share of the average that a step keeps, after `step` earlier ones.

    It rises from 0 to `decay`, so that the initial weights are forgotten.
    """
    return min(decay, step / (WARM_UP + step))


class Average:
    """The average of the networks that `translate` needs.

    After each step it is `decay` times itself plus `1 - decay` times the weights; buffers are those
    of the last step. torch's `AveragedModel` would ask the device for its number of steps at every
    step, which makes a GPU wait.
    """

    def __init__(self, method: Method, decay: float) -> None:
        self.method, self.decay, self.steps = method, decay, 0
        self.networks = copy.deepcopy(self._networks())

    def _networks(self) -> nn.ModuleDict:
        return nn.ModuleDict({n: self.method.get_submodule(n) for n in self.method.generator})

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights after a step."""
        new, share = self._networks(), 1 - decay_at(self.steps, self.decay)
        torch._foreach_lerp_(list(self.networks.parameters()), list(new.parameters()), share)
        for kept, buffer in zip(self.networks.buffers(), new.buffers(), strict=True):
            kept.copy_(buffer)
        self.steps += 1

    def generator_state(self) -> dict[str, Any]:
        """Return the average as `Method.generator_state` returns the weights."""
        return self.method.generator_state(self.networks)

    def state_dict(self) -> dict[str, Any]:
        """Return the average and its number of steps."""
        return {"networks": self.networks.state_dict(), "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.networks.load_state_dict(state["networks"])
        self.steps = state["steps"]
