"""Replay recorded steps of the authors' code through this project's own, and compare.

A file holds float64 arrays: `meta` (a JSON string with the method and its options),
`before/<net>/<parameter>`, `stepN/A` and `stepN/B` (N,3,H,W in [-1,1]), the sampled positions
`stepN/patch_ids/callC/layerL`, and what came of them: `step0/features_A/<layer>`, `step0/fake_A`,
`stepN/loss/<name>`, `step0/grad/<net>/<parameter>` and `after/<net>/<parameter>`. Sizes, widths
and layers are read from it. The step replayed is the one the training loop runs.
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
from cut.methods.contract import Batch, Method, parse_options
from cut.methods.cut import Choices, Cut
from cut.methods.registry import discover
from cut.nets.networks import InstanceNorm

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
# A bias before instance norm has no gradient but rounding noise, which Adam, dividing by the
# gradient's own size, turns into steps that no two programs share and no output depends on.
# A parameter whose recorded gradient is below this share of its network's largest is left out.
NOISE = 1e-9


def replay(arrays: Arrays, as_recorded: bool = False) -> dict[str, float]:
    """Replay a file's steps; return the largest relative error of each kind of array.

    Each array is compared on the scale of its largest value. `as_recorded` repeats the memory
    layout of the recording as well (see `use_recorded_layout`).

    Raises:
        UserError: the file lacks an array or names an option that is not known.
    """
    meta = json.loads(str(arrays["meta"]))
    method = build(meta, arrays)
    if as_recorded:
        use_recorded_layout(method)
    errors = {"features": _feature_error(method, arrays), "losses": 0.0}
    for step in range(len({key.split("/")[0] for key in arrays if key.startswith("step")})):
        batch = Batch(*(torch.from_numpy(arrays[f"step{step}/{side}"]) for side in "AB"))
        losses = _step(method, batch, arrays, step)
        for key in _under(arrays, f"step{step}/loss/"):
            # A term of weight zero is recorded as zero, and not computed here.
            loss = losses.get(key.rpartition("/")[2], torch.zeros(()))
            errors["losses"] = max(errors["losses"], _error(loss, arrays[key]))
        if step == 0:
            grads = {name: {k: p.grad for k, p in net.named_parameters()}
                     for name, net in method.networks.items()}  # fmt: skip
            errors["gradients"] = _network_error(grads, arrays, "step0/grad")
    weights = {name: dict(net.named_parameters()) for name, net in method.networks.items()}
    errors["weights"] = _network_error(weights, arrays, "after")
    return errors


def use_recorded_layout(method: Cut) -> None:
    """Make `method` lay out its gradients in memory as the authors' code does.

    With one image on a CPU, torch's instance norm returns a wrong gradient for a channels-last
    incoming one. The authors' code meets this (it picks patches from a permuted map and encodes
    each translation by itself), and so its recorded gradients at batch 1 are not the derivative
    of its loss. This project's are; only a replay asks for the recorded ones. See docs/parity.md.
    """
    for module in method.G.modules():
        if isinstance(module, InstanceNorm):
            module.guard = False

    def gather(feature: Tensor, ids: Tensor) -> Tensor:
        return feature.permute(0, 2, 3, 1).flatten(1, 2)[:, ids, :]

    def encode_queries(out: Tensor) -> list[list[Tensor]]:
        terms = out.chunk(2 if method.options.identity else 1)
        return [method.G.encode(term, method.options.nce_layers) for term in terms]

    method.F.gather = gather
    method.encode_queries = encode_queries


def build(meta: dict[str, Any], arrays: Arrays) -> Method:
    """Build the method of a file in float64, with the weights from before its first step."""
    cls = discover()[str(meta.get("method"))]
    given: dict[str, Any] = {}
    # What no option answers to (the batch, the size, a seed) shows in the arrays, and a fact that
    # was missed shows in the comparison.
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
        state = {k.removeprefix(prefix): torch.from_numpy(arrays[k])
                 for k in _under(arrays, prefix)}  # fmt: skip
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            first = str(error).splitlines()[1].strip()
            raise UserError(
                f"the weights of {name} don't fit the options in meta: {first}"
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
