"""Count the floating-point operations of a step or a translation.

The count depends on the networks and the size of the images, and not on the machine. A multiply-add
is two operations. Only convolutions, matrix products and attention count; in these networks the
rest is a few thousandths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class Operations(TorchDispatchMode):
    """Counts the floating-point operations of what runs inside its `with` block.

    Unlike `torch.utils.flop_counter.FlopCounterMode`, with the same formulas, it keeps no record of
    modules, so that it can stand round any step.

    Attributes:
        count: operations so far, of forward and backward passes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run an operation of torch and count it."""
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        if formula := flop_registry.get(func._overloadpacket):
            self.count += formula(*args, **kwargs, out_val=out)
        return out
