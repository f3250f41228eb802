"""Replay recorded steps of the authors' code with this project's methods, and compare.

A file holds float64 arrays: `meta` (a JSON string with the method and its options),
`before/<net>/<parameter>`, `stepN/A` and `stepN/B` (N,3,H,W in [-1,1]), the sampled positions
`stepN/patch_ids/callC/layerL`, and the results: `step0/features_A/<layer>`, `step0/fake_A`,
`stepN/loss/<name>`, `step0/grad/<net>/<parameter>` and `after/<net>/<parameter>`. Sizes, widths
and layers are read from it. The replay calls the same `step` as the training loop.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cut.base.errors import UserError
from cut.methods.contract import Batch, Method
from cut.methods.cut import Choices, Cut
from cut.methods.options import parse_options
from cut.methods.registry import discover
from cut.nets.networks import InstanceNorm, ProjectionHeads

Arrays = Mapping[str, np.ndarray]

# Our option for each name that a file's `meta` may give; a list stands for several options.
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
# The gradient of a bias before instance norm is rounding noise. Adam divides by its size, so the
# steps differ between programs, and no output depends on them. A parameter whose recorded gradient
# is below this share of the largest in its network is not compared.
NOISE = 1e-9


def replay(arrays: Arrays, as_recorded: bool = False) -> dict[str, float]:
    """Replay a file's steps; return the largest relative error of each kind of array.

    Each array is compared on the scale of its largest value. `as_recorded` also repeats the
    memory layout of the recording (see `recorded_layout`).

    Raises:
        UserError: the file lacks an array or names an option that is not known.
    """
    meta = json.loads(str(arrays["meta"]))
    method = build(meta, arrays, as_recorded)
    errors = {"features": _feature_error(method, arrays), "losses": 0.0}
    for step in range(len({key.split("/")[0] for key in arrays if key.startswith("step")})):
        batch = Batch(*(torch.from_numpy(arrays[f"step{step}/{side}"]) for side in "AB"))
        losses = _step(method, batch, arrays, step)
        for key in _under(arrays, f"step{step}/loss/"):
            # A term of weight zero is recorded as zero, and not computed here.
            loss = losses.get(key.rpartition("/")[2], torch.zeros(()))
            errors["losses"] = max(errors["losses"], _error(loss, arrays[key]))
        if step == 0:
            grads = {
                name: {k: p.grad for k, p in net.named_parameters()}
                for name, net in method.networks.items()
            }
            errors["gradients"] = _network_error(grads, arrays, "step0/grad")
    weights = {name: dict(net.named_parameters()) for name, net in method.networks.items()}
    errors["weights"] = _network_error(weights, arrays, "after")
    return errors


class RecordedHeads(ProjectionHeads):
    """Projection heads that pick patches as the authors' code does, from a permuted map."""

    @staticmethod
    def gather(feature: Tensor, ids: Tensor) -> Tensor:
        """Return the (N, P, C) vectors at the flat positions `ids` of (N, C, H, W)."""
        return feature.permute(0, 2, 3, 1).flatten(1, 2)[:, ids, :]


def recorded_layout(cls: type[Cut]) -> type[Cut]:
    """Return a subclass of `cls` whose gradients lie in memory as those of the authors' code.

    With one image on a CPU, torch's instance norm returns a wrong gradient if the incoming one is
    channels-last. The authors' code meets this (it picks patches from a permuted map and encodes
    each translation by itself), so its recorded gradients at batch 1 are not the derivative of
    its loss. This project's are; only a replay asks for the recorded ones. See docs/parity.md.
    """

    class Recorded(cls):
        Heads = RecordedHeads

        def __init__(self, options: Any, seed: int = 0) -> None:
            super().__init__(options, seed)
            for module in self.G.modules():
                if isinstance(module, InstanceNorm):
                    module.guard = False

        def encode_queries(self, out: Tensor) -> list[list[Tensor]]:
            terms = out.chunk(2 if self.options.identity else 1)
            return [self.G.encode(term, self.options.nce_layers) for term in terms]

    return Recorded


def build(meta: dict[str, Any], arrays: Arrays, as_recorded: bool = False) -> Method:
    """Build the method of a file in float64, with the weights from before its first step.

    `as_recorded` gives a method of CUT's family the memory layout of the recording.
    """
    cls = discover()[str(meta.get("method"))]
    if as_recorded and issubclass(cls, Cut):
        cls = recorded_layout(cls)
    given: dict[str, Any] = {}
    # The other facts in meta (batch, size, seed) follow from the arrays.
    for name in set(meta) & set(OPTION_OF):
        option = OPTION_OF[name]
        if isinstance(option, str):
            given[option] = meta[name]
        else:
            given.update(zip(option, meta[name], strict=True))
    method = cls(parse_options(cls.Options, given, "the parity file"))
    method.to(torch.float64)
    for name, network in method.networks.items():
        prefix = f"before/{name}/"
        state = {
            key.removeprefix(prefix): torch.from_numpy(arrays[key])
            for key in _under(arrays, prefix)
        }
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            first = str(error).splitlines()[1].strip()
            raise UserError(
                f"the weights of {name} do not match the options in meta: {first}"
            ) from None
    return method


def _step(method: Method, batch: Batch, arrays: Arrays, step: int) -> dict[str, Tensor]:
    """Take a step with the recorded choices, where the method makes any."""
    if isinstance(method, Cut):
        return method.step(batch, choices_of(arrays, step))
    return method.step(batch)


def choices_of(arrays: Arrays, step: int) -> Choices:
    """Return the recorded random choices of a step."""
    calls: list[list[Tensor]] = []
    while any(_under(arrays, f"step{step}/patch_ids/call{len(calls)}/")):
        prefix = f"step{step}/patch_ids/call{len(calls)}/layer"
        n = len(_under(arrays, prefix))
        calls.append([torch.from_numpy(arrays[f"{prefix}{i}"]).long() for i in range(n)])
    return Choices(bool(arrays.get(f"step{step}/flipped", False)), calls)


@torch.no_grad()
def _feature_error(method: Method, arrays: Arrays) -> float:
    if not isinstance(method, Cut):
        return 0.0
    layers = sorted(int(key.rpartition("/")[2]) for key in _under(arrays, "step0/features_A/"))
    source = torch.from_numpy(arrays["step0/A"])
    got = method.G.encode(source, layers)
    want = [arrays[f"step0/features_A/{layer}"] for layer in layers]
    if "step0/fake_A" in arrays:  # of the mirrored input where the step was flipped
        got.append(method.G(source.flip(3) if arrays.get("step0/flipped", False) else source))
        want.append(arrays["step0/fake_A"])
    return max(_error(g, w) for g, w in zip(got, want, strict=True))


def _network_error(
    networks: Mapping[str, Mapping[str, Tensor]], arrays: Arrays, prefix: str
) -> float:
    """Return the largest error over the networks' parameters that have a gradient."""
    largest = 0.0
    for name, tensors in networks.items():
        grads = {key: np.abs(arrays[f"step0/grad/{name}/{key}"]).max() for key in tensors}
        top = max(grads.values(), default=0.0)
        for key, tensor in tensors.items():
            if grads[key] > NOISE * top:
                largest = max(largest, _error(tensor, arrays[f"{prefix}/{name}/{key}"]))
    return largest


def _error(got: Tensor, want: np.ndarray) -> float:
    """Return the largest difference over the largest value (or itself where that is zero)."""
    difference = float(np.abs(got.detach().numpy() - want).max())
    return difference / (float(np.abs(want).max()) or 1.0)


def _under(arrays: Arrays, prefix: str) -> list[str]:
    return [key for key in arrays if key.startswith(prefix)]


def report(path: Path, tol: float) -> bool:
    """Replay one file, print its errors, and return whether they are within `tol`."""
    try:
        with np.load(path) as archive:
            arrays = dict(archive)
        errors = replay(arrays)
        layout = ""
        one_image = len(arrays["step0/A"]) == 1 and _under(arrays, "step0/patch_ids/")
        if not max(errors.values()) <= tol and one_image:
            print(f"{path.name}: {_line(errors)}  (the derivative of the loss)")
            errors, layout = replay(arrays, as_recorded=True), " in the recording's memory layout"
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path} is not a readable parity file: {error}") from None
    within = max(errors.values()) <= tol
    print(f"{path.name}: {_line(errors)}  {'within' if within else 'ABOVE'} {tol:g}{layout}")
    return within


def _line(errors: Mapping[str, float]) -> str:
    return "  ".join(f"{kind} {value:.1e}" for kind, value in errors.items())
