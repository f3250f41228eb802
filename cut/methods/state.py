"""What a method keeps: its training state, and the weights that translate."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


class Stateful(nn.Module):
    """The state of a method, to save and to restore.

    Attributes:
        rng: the stream of every random draw of a step.
        optimizers: by name.
    """

    trained: ClassVar[bool] = True
    generator: ClassVar[tuple[str, ...]] = ("G",)  # the networks that `translate` needs
    rng: torch.Generator
    optimizers: dict[str, Optimizer]

    def set_lr_factor(self, factor: float) -> None:
        """Scale every optimizer's initial learning rate by `factor`."""
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                lr = group.setdefault("initial_lr", float(group["lr"])) * factor
                if isinstance(group["lr"], Tensor):  # of a graph, which reads it where it is
                    group["lr"].fill_(lr)
                else:
                    group["lr"] = lr

    def training_state(self) -> dict[str, Any]:
        """Return the complete training state: modules, optimizers and the random stream.

        `load_training_state` continues from it to the same weights. State that is no module or
        buffer belongs into `get_extra_state` of its module, as in `cut.nets.image_pool`.
        """
        return {
            "modules": self.state_dict(),
            "optimizers": {name: opt.state_dict() for name, opt in self.optimizers.items()},
            "rng": self.rng.get_state(),
        }

    def load_training_state(self, state: dict[str, Any]) -> None:
        """Restore what `training_state` returned."""
        self.load_state_dict(state["modules"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self.rng.set_state(state["rng"].cpu())

    def generator_state(self, networks: nn.ModuleDict | None = None) -> dict[str, Any]:
        """Return what `translate` needs, the content of `generator.pt`.

        It is the state of the network in `generator`, or of several by name. They are taken from
        `networks` if given, else from the method.
        """
        if not self.trained:
            return {}
        of = networks or self
        states = {name: of.get_submodule(name).state_dict() for name in self.generator}
        return states if len(states) > 1 else states[self.generator[0]]

    def load_generator_state(self, state: dict[str, Any]) -> None:
        """Restore what `generator_state` returned.

        Raises:
            RuntimeError, KeyError: the state is of other networks.
        """
        names = self.generator if self.trained else ()
        for name in names:
            self.get_submodule(name).load_state_dict(state[name] if len(names) > 1 else state)

    def embedding_state(self) -> dict[str, Any]:
        """Return what `embedding.pt` keeps for figures; nothing by default."""
        return {}
