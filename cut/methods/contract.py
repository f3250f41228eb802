"""The method contract, and finding the methods there are.

A method is a class with a name, typed options, and three things to do: take a training step,
translate a batch, give and take its whole state. `cut.training` owns everything else.
A new method is a new file under `baselines/`; nothing lists it.

    python -m cut methods            list every method, its options and where it is defined
"""

from __future__ import annotations

import inspect
from abc import ABC
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import torch
from PIL.Image import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn
from torch.optim import Optimizer

from cut.base import random_streams
from cut.base.errors import UserError, explain
from cut.base.images import read_image, resize
from cut.base.tensors import to_image, to_tensor

if TYPE_CHECKING:
    from cut.data.dataset import Dataset


# What every method's numbers depend on, besides its own file.
SHARED_CODE = (
    "base/images",
    "base/random_streams",
    "base/tensors",
    "methods/contract",
    "nets/image_pool",
    "nets/losses",
    "nets/networks",
    "training/batches",
    "training/loop",
)


class Batch(NamedTuple):
    """Unpaired images, each (N, 3, H, W) in [-1, 1]."""

    source: Tensor
    target: Tensor


class Options(BaseModel):
    """Base of a method's options: unknown names and values out of range are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class NetworkOptions(Options):
    """Options of the networks and optimizers that methods share."""

    ngf: int = Field(64, ge=1, description="channels of the generator's first layer")
    ndf: int = Field(64, ge=1, description="channels of the discriminator's first layer")
    n_blocks: int = Field(9, ge=1, description="residual blocks of the generator")
    n_layers_D: int = Field(3, ge=1, le=5, description="down-sampling stages of the discriminator")
    antialias: bool = Field(True, description="blur before down-sampling (CycleGAN: false)")
    antialias_up: bool = Field(True, description="blur after up-sampling (CycleGAN: false)")
    init_gain: float = Field(0.02, gt=0, description="gain of the Xavier initialisation")
    # The paper's text says 0.002; its code, whose results the paper reports, uses 0.0002.
    lr: float = Field(0.0002, gt=0, description="Adam's learning rate before decay")
    beta1: float = Field(0.5, ge=0, lt=1, description="Adam's first-moment decay")
    beta2: float = Field(0.999, ge=0, lt=1, description="Adam's second-moment decay")


def parse_options(model: type[BaseModel], given: dict[str, Any], what: str) -> Any:
    """Build `model` from `given`, turning what is wrong into one sentence.

    Raises:
        UserError: an unknown name, a wrong type or a value out of range.
    """
    try:
        return model(**given)
    except ValidationError as error:
        raise UserError(explain(error, model, "option", what)) from None


class Method(ABC):
    """One way to translate.

    A trained method fills `networks` and `optimizers` in `__init__` (by `add`), writes `step` and
    `translate`, and keeps its random draws in `self.rng`. `state_dict` then has everything.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    citation: ClassVar[str] = ""
    Options: ClassVar[type[Options]] = Options
    training: ClassVar[dict[str, Any]] = {}  # defaults of this method for the loop's options
    trained: ClassVar[bool] = True
    # A control is no method to compare: a floor does nothing, a ceiling is what perfection scores.
    role: ClassVar[Literal["method", "floor", "ceiling"]] = "method"
    stride: ClassVar[int] = 1  # height and width must be multiples of this

    def __init__(self, options: Options, seed: int = 0) -> None:
        self.options, self.seed = options, seed
        self.networks: dict[str, nn.Module] = {}
        # Modules that no optimizer trains but that a run carries on: averages of weights, banks.
        self.carried: dict[str, nn.Module] = {}
        self.optimizers: dict[str, Optimizer] = {}
        self.rng = random_streams.generator(seed, "steps")

    def add(self, name: str, network: nn.Module, initialise: Any = None) -> nn.Module:
        """Register a trainable network; `initialise(network, rng)` gets a stream of its own."""
        if initialise is not None:
            initialise(network, random_streams.generator(self.seed, "initialisation", name))
        self.networks[name] = network
        return network

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update every network once on `batch`; return named scalar losses, detached."""
        raise UserError(f"method {self.name} has no training step")

    def translate(self, images: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1] to the same shape and range, without gradient."""
        raise UserError(f"method {self.name} translates no single batch")

    def outputs(
        self, dataset: Dataset, size: tuple[int, int], batch_size: int
    ) -> Iterator[tuple[str, Image]]:
        """Yield (name, image) for every test image of the source domain, at `size`."""
        return self.translations(dataset.files("test", "source"), size, batch_size)

    def translations(
        self, files: list[Path], size: tuple[int, int], batch_size: int
    ) -> Iterator[tuple[str, Image]]:
        """Yield (name, translation) of each image in `files`, at `size`."""
        for start in range(0, len(files), batch_size):
            part = files[start : start + batch_size]
            images = torch.stack([to_tensor(resize(read_image(path), size)) for path in part])
            translated = self.translate(images.to(self.device)).float().cpu()
            for path, image in zip(part, translated, strict=True):
                yield path.stem, to_image(image)

    def to(self, *args: Any) -> Method:
        """Move all networks to a device or dtype; call before the first step."""
        for module in [*self.networks.values(), *self.carried.values()]:
            module.to(*args)
        return self

    @property
    def device(self) -> torch.device:
        """Return where the networks live."""
        first = next((p for n in self.networks.values() for p in n.parameters()), None)
        return torch.device("cpu") if first is None else first.device

    def set_lr_factor(self, factor: float) -> None:
        """Scale every optimizer's initial learning rate by `factor`."""
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor

    def train(self, mode: bool = True) -> None:
        """Set the networks' mode."""
        for network in self.networks.values():
            network.train(mode)

    def state_dict(self) -> dict[str, Any]:
        """Return everything a later `load_state_dict` needs to go on to the same weights."""
        return {
            "networks": {name: net.state_dict() for name, net in self.networks.items()},
            "optimizers": {name: opt.state_dict() for name, opt in self.optimizers.items()},
            "carried": {name: module.state_dict() for name, module in self.carried.items()},
            "rng": self.rng.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""
        for name, network in self.networks.items():
            network.load_state_dict(state["networks"][name])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        for name, module in self.carried.items():
            module.load_state_dict(state["carried"][name])
        self.rng.set_state(state["rng"])

    def generator_state(self) -> dict[str, Any]:
        """Return what `translate` needs: the file `generator.pt`."""
        return self.networks["G"].state_dict() if "G" in self.networks else {}

    def load_generator_state(self, state: dict[str, Any]) -> None:
        """Take back what `generator_state` gave."""
        if "G" in self.networks:
            self.networks["G"].load_state_dict(state)

    def embedding_state(self) -> dict[str, Any]:
        """Return what a run keeps in `embedding.pt`, for figures and not for translating: nothing.

        A method that trains an encoder to be looked at replaces this.
        """
        return {}

    def parameters(self) -> dict[str, int]:
        """Return the number of trainable parameters a network."""
        return {
            name: sum(p.numel() for p in net.parameters()) for name, net in self.networks.items()
        }

    @classmethod
    def code_files(cls) -> set[Path]:
        """Return the files that decide the method's numbers: its own, its bases', the shared ones.

        A method in a folder of its own answers for every Python file in it.
        """
        root = Path(__file__).parents[1]
        files = {root / f"{name}.py" for name in SHARED_CODE}
        for base in cls.__mro__:
            if base.__module__.partition(".")[0] in ("cut", "baselines"):
                file = Path(inspect.getfile(base))
                files |= set(file.parent.rglob("*.py")) if file.stem == "method" else {file}
        return files
