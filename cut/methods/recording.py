"""Read a recording: its options, weights, draws, losses and gradients, in the method's names."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from fnmatch import fnmatch
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cut.base.errors import UserError
from cut.methods.contract import Method
from cut.methods.options import parse_options
from cut.methods.registry import discover

Arrays = Mapping[str, np.ndarray]

# The option for each name that a file's `meta` may give; several for a list.
OPTION_OF: dict[str, str | tuple[str, ...]] = {
    "lr": "lr",
    "betas": ("beta1", "beta2"),
    "ngf": "ngf",
    "ndf": "ndf",
    "n_blocks": "n_blocks",
    "lambda_nce": "lambda_nce",
    "lambda_gan": "lambda_gan",
    "identity": "identity",
    "flip_equivariance": "flip_equivariance",
    "layers": "nce_layers",
    "tau": "tau",
    "patches": "n_patches",
    "width": "width",
    "all_negatives_from_minibatch": "negatives_across_batch",
    "lambda_cycle": ("lambda_a", "lambda_b"),
    "lambda_identity": "lambda_identity",
    "pool_size": "pool_size",
}

# What a recording calls the images of a batch.
INPUTS = {"source": "A", "target": "B", "second": "A2"}


class Recording:
    """The arrays of one file, read in the names of the method whose steps it has.

    Every array that is read counts as used, so that a replay can say which ones it does not reach.

    Args:
        arrays: by key, as `numpy.load` gives them.

    Raises:
        UserError: no method is known by the name in `meta`.
        KeyError: `meta` is missing.
    """

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays
        self.meta: dict[str, Any] = json.loads(str(arrays["meta"]))
        self.method = method_of(str(self.meta.get("method")))
        self.authors = self.method.authors
        self.names: dict[str, str] = self.meta.get("project_names", {})
        self.used = {"meta", "options"}
        self.steps = len({key.split("/")[0] for key in arrays if re.match(r"step\d+/", key)})
        self.step = 0
        self._calls: Counter[str] = Counter()

    # -- what is set -----------------------------------------------------------------------------

    def options(self) -> Any:
        """Return the method's options that the recorded steps ran with.

        Raises:
            UserError: an option is unknown or out of range.
        """
        meta, fields = self.meta, self.method.Options.model_fields
        given: dict[str, Any] = {}
        for name in [name for name in OPTION_OF if name in meta]:
            option = OPTION_OF[name]
            values = {option: meta[name]} if isinstance(option, str) else {}
            if not isinstance(option, str):
                values = dict(zip(option, meta[name], strict=True))
            given |= {key: value for key, value in values.items() if key in fields}
        # Either this project's options, all of them, or those of the authors.
        if "options" in self.arrays:
            given |= json.loads(str(self.arrays["options"]))
        for name, option in self.authors.options.items():
            for source in (meta.get("options", {}), meta):
                if name in source:
                    given[option] = source[name]
        return parse_options(self.method.Options, given, "the recording")

    def batch(self, step: int) -> Any:
        """Return the inputs of a step, as the method takes them."""
        names = (f"step{step}/{INPUTS[field]}" for field in self.method.Batch._fields)
        return self.method.Batch(*map(self._tensor, names))

    def start_step(self, step: int) -> None:
        """Make `step` the present one, whose draws come next."""
        self.step = step
        self._calls.clear()

    def draw(self, name: str) -> Any:
        """Return the next recorded draw of a name in the present step.

        It is `stepN/NAME` or `stepN/draw/NAME`, or, for a name that is drawn several times,
        `stepN/NAME/callC`; a list where the keys end in `/layerL`.

        Raises:
            UserError: the recording has none.
        """
        call = self._calls[name]
        self._calls[name] += 1
        keys = [f"step{self.step}/{name}/call{call}"]
        if call == 0:
            keys += [f"step{self.step}/{name}", f"step{self.step}/draw/{name}"]
        for key in keys:
            if key in self.arrays:
                return self._tensor(key)
            if f"{key}/layer0" in self.arrays:
                n = len(self.under(f"{key}/layer"))
                layers = [layer for layer in range(n) if f"{key}/layer{layer}" in self.arrays]
                return [self._tensor(f"{key}/layer{layer}") for layer in layers]
        raise UserError(
            f"the recording has no {keys[0]}, a random draw of {self.method.name} in step"
            f" {self.step} (its number {call} of that name)"
        )

    def __call__(self, name: str) -> Tensor:
        """Return the array `step0/NAME`, `step0/draw/NAME` or `NAME`."""
        return self._tensor(self._key(name))

    def __contains__(self, name: str) -> bool:
        """Return whether there is an array of that name."""
        return self._key(name) in self.arrays

    # -- what is compared ------------------------------------------------------------------------

    def weights(self, group: str) -> dict[str, tuple[str, Tensor]]:
        """Return (key, tensor) of each weight under "before" or "after", by `network/parameter`.

        Fixed filters are left out, and what the method's `ignored` says.
        """
        found = {}
        ignored = ("*.filt", *self.authors.ignored)
        for key in self.under(group):
            if any(fnmatch(key, pattern) for pattern in ignored):
                self.used.add(key)
                continue
            # "after_average/F/x" is "average/F/x".
            name = self.name_of(key[len(group) :].lstrip("_/"))
            found[name] = (key, self._as_ours(name, self._tensor(key)))
        return found

    def gradients(self, group: str = "grad") -> dict[str, tuple[str, int, Tensor]]:
        """Return (name, which update of its optimizer, gradient) of each recorded gradient.

        The keys are those of the file. `group` is "grad", as the optimizer saw it, or
        "grad_before_clipping".
        """
        found = {}
        for key in self.under(f"step0/{group}/"):
            name, update = key.removeprefix(f"step0/{group}/"), 0
            prefix, _, rest = name.partition("/")
            number = re.search(r"\d+$", prefix)
            if prefix in self.authors.updates:
                name, update = rest, self.authors.updates[prefix]
            elif number and rest.count("/"):
                name, update = rest, int(number[0])
            name = self.name_of(name)
            found[key] = (name, update, self._as_ours(name, self._tensor(key)))
        return found

    def losses(self) -> dict[str, float]:
        """Return the losses of the present step, in the names of the authors' code."""
        prefix = f"step{self.step}/loss/"
        return {key.removeprefix(prefix): float(self._tensor(key)) for key in self.under(prefix)}

    def norms(self) -> dict[str, tuple[str, Tensor]]:
        """Return (network, norm of its gradient before clipping) of the present step, by key."""
        prefix = f"step{self.step}/grad_norm/"
        return {key: (key.removeprefix(prefix), self._tensor(key)) for key in self.under(prefix)}

    def name_of(self, recorded: str) -> str:
        """Return the method's `network/parameter` of a recorded one."""
        if recorded in self.names:
            return self.names[recorded]
        for start, ours in self.authors.networks.items():
            if recorded.startswith(start):
                return ours + recorded.removeprefix(start)
        return recorded

    def under(self, prefix: str) -> list[str]:
        """Return the keys that begin with `prefix`."""
        return [key for key in self.arrays if key.startswith(prefix)]

    def unused(self) -> list[str]:
        """Return the keys that nothing has read; a flag that is not set says nothing."""
        left = sorted(self.arrays.keys() - self.used)
        left = [key for key in left if not self._needless(key)]
        return [k for k in left if self.arrays[k].dtype != bool or self.arrays[k].any()]

    def _needless(self, key: str) -> bool:
        name = re.sub(r"^step\d+/", "", key)
        return any(fnmatch(name, pattern) for pattern in self.authors.unused)

    def _key(self, name: str) -> str:
        keys = (f"step0/{name}", f"step0/draw/{name}", name)
        return next((key for key in keys if key in self.arrays), keys[0])

    def _tensor(self, key: str) -> Tensor:
        value = np.asarray(self.arrays[key])
        self.used.add(key)
        # Positions index tensors, for which torch wants 64 bits.
        return torch.from_numpy(value.astype(np.int64 if value.dtype.kind in "iu" else value.dtype))

    def _as_ours(self, name: str, value: Tensor) -> Tensor:
        return value.transpose(0, 1) if name in self.authors.transposed else value


def method_of(name: str) -> type[Method]:
    """Return the method that recordings call `name`.

    Raises:
        UserError: there is none.
    """
    registry = discover()
    for cls in registry.methods.values():
        if name in cls.authors.methods:
            return cls
    return registry[name]
