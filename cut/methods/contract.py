"""The method contract: what a method is, and what it is given.

A method is a `torch.nn.Module` with a name, typed options, a training step and a translation.
`cut.training` does everything else: data, schedule, checkpoints, history, timing. A new method is
a new file under `baselines/`; no list names it. `baselines/README.md` has an example in one page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from cut.base import random_streams
from cut.base.errors import UserError
from cut.base.image_form import Images
from cut.base.image_size import in_words
from cut.base.images import AnyImage
from cut.methods.channels import Takes
from cut.methods.correspondence import Correspondence
from cut.methods.loss import Loss
from cut.methods.options import NetworkOptions, Options
from cut.methods.state import Stateful
from cut.methods.translated import translated
from cut.nets import networks
from cut.records.run import LossRecord

if TYPE_CHECKING:
    from cut.data.dataset import Dataset


class Batch(NamedTuple):
    """Unpaired images, each (N, 3, H, W) in [-1, 1]."""

    source: Tensor
    target: Tensor


class BatchWithSecond(NamedTuple):
    """Unpaired images, and as many source images again, in an order of their own."""

    source: Tensor
    target: Tensor
    second: Tensor


class Schedule(NamedTuple):
    """A method's defaults for the training loop; a configuration may override each."""

    epochs_constant: int  # epochs at the full learning rate
    epochs_decay: int  # epochs of linear decay after them
    batch_size: int = 1  # pairs per step
    crops: Literal["resize", "zoom"] = "resize"  # how crops are taken, see the options of the loop
    crop_size: int | None = None  # height and width of crops in pixels; None is the run's size
    images_per_epoch: int | None = None  # pairs of crops; None is the images of the larger domain


class Method(Stateful):
    """One way to translate.

    A trained method builds its networks in `__init__` (`add`, `adam`) and defines `step` and
    `translate`. Its modules, optimizers and random stream are the whole training state.

    Attributes:
        options: an instance of the class's `Options`.
        seed: the run's seed; every draw derives from it.
        rng: the stream of every random draw of a step, on the CPU; `draw` takes from it.
        given_draws: in a replay, returns the recorded draw of a name.
        epoch: the current epoch, counted from 1; the loop sets it.
        epochs: the length of the training in epochs; the loop sets it.
        optimizers: by the names given to `adam`; the loop scales their learning rates.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    citation: ClassVar[str] = ""
    Options: ClassVar[type[Options]] = Options
    Batch: ClassVar[type[Batch | BatchWithSecond]] = Batch  # what a step is given
    schedule: ClassVar[Schedule] = Schedule(200, 200)
    # The floor is the score of doing nothing, the ceiling that of a perfect translator.
    role: ClassVar[Literal["method", "floor", "ceiling"]] = "method"
    stride: ClassVar[int] = 1  # height and width must be multiples of this
    channels: ClassVar[Takes] = "three"  # of the images, see `takes`
    # Whether each step is the same sequence of operations on tensors, apart from its draws, so that
    # a CUDA graph can repeat it: it reads no value of a tensor, and keeps nothing outside tensors.
    capturable: ClassVar[bool] = False
    losses: ClassVar[dict[str, Loss]] = {}  # of those that `step` returns, by name
    authors: ClassVar[Correspondence] = Correspondence()  # what recordings of their code name

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a method that lists and tables could not show.

        Raises:
            UserError: the class has a name but no summary.
        """
        super().__init_subclass__(**kwargs)
        cls.capturable = vars(cls).get("capturable", False)  # a subclass's step is another one
        if "name" in vars(cls) and not getattr(cls, "summary", ""):
            raise UserError(
                f"method {cls.name!r} ({cls.__module__}) has no summary; give it one line"
            )

    def __init__(self, options: Any, seed: int = 0) -> None:
        super().__init__()
        self.options, self.seed = options, seed
        self.rng = random_streams.generator(seed, "steps")
        self.given_draws: Callable[[str], Any] | None = None
        self.epoch = 1
        self.epochs = self.schedule.epochs_constant + self.schedule.epochs_decay
        self.optimizers: dict[str, Optimizer] = {}
        self._added: list[str] = []

    # -- what a method defines -----------------------------------------------------------------

    @classmethod
    def check(cls, options: Any, size: tuple[int, int]) -> None:
        """Refuse settings that the method cannot be trained with, before anything runs.

        A method with conditions of its own extends this.

        Args:
            options: of the method.
            size: (height, width) of the training crops.

        Raises:
            UserError: a side is no multiple of the stride, or too small for the shared
                discriminator; or a feature layer is none of the generator's.
        """
        cls.check_stride(size)
        if isinstance(options, NetworkOptions):
            options.check_size(size)
            for name in options.feature_layers:
                options.check_layers(name, getattr(options, name))

    @classmethod
    def check_stride(cls, size: tuple[int, int]) -> None:
        """Refuse images that the method cannot translate.

        Raises:
            UserError: a side of `size` (height, width) is no multiple of the stride.
        """
        if any(side % cls.stride for side in size):
            raise UserError(
                f"size {in_words(size)} is no multiple of {cls.stride}, which {cls.name} needs"
            )

    @classmethod
    def takes(cls, options: Any) -> Takes:
        """Return which numbers of channels the networks of these options take.

        A method of which an option decides this extends it.
        """
        return cls.channels

    def step(self, batch: Any) -> dict[str, Tensor]:
        """Update every network on a batch of the class's kind; return named losses, detached."""
        raise UserError(f"method {self.name} has no training step")

    def translate(self, images: Tensor) -> Tensor:
        """Translate (N, C, H, W) in [-1, 1] to images of the target's channels, without gradient.

        Height, width and range stay the same.
        """
        raise UserError(f"method {self.name} translates no single batch")

    def translations_by_step(self, images: Tensor) -> list[Tensor]:
        """Return the images after each step of a translation in several; the scored one is there.

        Arguments and results are those of `translate`.
        """
        return [self.translate(images)]

    @classmethod
    def steps(cls, options: Any) -> int:
        """Return the number of images that `translations_by_step` returns."""
        return 1

    @classmethod
    def scored(cls, options: Any) -> str:
        """Return in words which of several possible translations is scored; "" if there is one."""
        return ""

    # -- what a method is given ----------------------------------------------------------------

    def add(
        self,
        *,
        initialise: Callable[[nn.Module, torch.Generator], Any] | None = None,
        **modules: nn.Module,
    ) -> None:
        """Register trainable networks by name, each initialised from its own random stream.

        `initialise(network, rng)` draws the weights; the default is Xavier's normal with the
        option `init_gain`.
        """
        gain = getattr(self.options, "init_gain", 0.02)
        draw = initialise or (lambda network, rng: networks.initialise(network, rng, gain))
        for name, module in modules.items():
            draw(module, random_streams.generator(self.seed, "initialisation", name))
            self.add_module(name, module)
            self._added.append(name)

    def adam(
        self,
        *,
        lr: float | None = None,
        betas: tuple[float, float] | None = None,
        weight_decay: float | None = None,
        **groups: str | Sequence[str],
    ) -> None:
        """Make one Adam for each group of networks, as in `adam(G=("G", "F"), D="D")`.

        The defaults are the options `lr`, `beta1`, `beta2` and, where there is one,
        `weight_decay`.
        """
        o = self.options
        if weight_decay is None:
            weight_decay = getattr(o, "weight_decay", 0.0)
        for group, names in groups.items():
            names = [names] if isinstance(names, str) else names
            self.optimizers[group] = torch.optim.Adam(
                [p for name in names for p in self.get_submodule(name).parameters()],
                lr=o.lr if lr is None else lr,
                betas=betas or (o.beta1, o.beta2),
                weight_decay=weight_decay,
                fused=True,  # one pass over each weight instead of ten
            )

    def update(
        self,
        group: str | Sequence[str],
        losses: dict[str, Tensor],
        *,
        total: Tensor | None = None,
        clip: float | None = None,
    ) -> dict[str, Tensor]:
        """Take one step of the optimizers of `group` on the sum of `losses`; return these detached.

        Only the networks of these optimizers get a gradient: the others need no freezing.

        Args:
            group: a name given to `adam`, or several.
            losses: scalars with their graph.
            total: what to minimise, if it is not the sum.
            clip: largest norm of the gradient; longer ones are scaled down.
        """
        chosen = [self.optimizers[name] for name in ([group] if isinstance(group, str) else group)]
        parameters = [p for o in chosen for g in o.param_groups for p in g["params"]]
        for optimizer in chosen:
            optimizer.zero_grad()
        if total is None:
            total = torch.stack(list(losses.values())).sum()
        total.backward(inputs=parameters)
        if clip is not None:
            nn.utils.clip_grad_norm_(parameters, clip)
        for optimizer in chosen:
            optimizer.step()
        return {name: loss.detach() for name, loss in losses.items()}

    def draw(self, name: str, sample: Callable[[torch.Generator], Any]) -> Any:
        """Return a random draw of a step, `sample(rng)`; in a replay, the recorded `name`."""
        return sample(self.rng) if self.given_draws is None else self.given_draws(name)

    def draw_positions(
        self, maps: Sequence[Tensor], n: int, name: str = "patch_ids"
    ) -> list[Tensor]:
        """Draw up to `n` distinct flat positions y*W + x in each of the (N, C, H, W) maps.

        Returns one (P,) tensor per map, P = min(n, H*W), shared by the images of a batch.
        """
        sizes = [m.shape[2] * m.shape[3] for m in maps]
        drawn = self.draw(name, lambda rng: [torch.randperm(s, generator=rng)[:n] for s in sizes])
        # A copy that the CPU does not wait for.
        pairs = zip(drawn, maps, strict=True)
        return [ids.to(m.device, non_blocking=True) for ids, m in pairs]

    def draw_normal(self, name: str, shape: Sequence[int], like: Tensor) -> Tensor:
        """Draw a tensor of standard normal values, of the device and type of `like`."""
        drawn = self.draw(name, lambda rng: torch.randn(tuple(shape), generator=rng))
        return drawn.to(like, non_blocking=True)

    # -- what the rest of the project uses -----------------------------------------------------

    @property
    def images(self) -> Images:
        """Return what the images are that the method was built for."""
        return self.options.images

    @property
    def networks(self) -> dict[str, nn.Module]:
        """Return the trained networks by name: those given to `add`."""
        return {name: self.get_submodule(name) for name in self._added}

    @property
    def device(self) -> torch.device:
        """Return the device of the networks; the CPU without any."""
        return next((p.device for p in self.parameters()), torch.device("cpu"))

    def outputs(
        self, dataset: Dataset, size: tuple[int, int], batch_size: int
    ) -> Iterator[tuple[str, AnyImage]]:
        """Yield (name, image) for every test image of the source domain, at `size`."""
        return self.translations(dataset.files("test", "source"), size, batch_size)

    def translations(
        self, files: list[Path], size: tuple[int, int], batch_size: int
    ) -> Iterator[tuple[str, AnyImage]]:
        """Yield (name, translation) of each image in `files`, at `size`.

        Raises:
            UserError: a translation is not finite, or of another shape or range.
        """
        one = self._translated(lambda x: [self.translate(x)], files, size, batch_size)
        yield from ((name, image) for name, (image,) in one)

    def steps_of_translations(
        self, files: list[Path], size: tuple[int, int], batch_size: int
    ) -> Iterator[tuple[str, list[AnyImage]]]:
        """Yield (name, images after each step) of each image in `files`, at `size`.

        Raises:
            UserError: as `translations`.
        """
        every = self.translations_by_step
        yield from self._translated(every, files, size, batch_size)

    def _translated(
        self,
        translate: Callable[[Tensor], Sequence[Tensor]],
        files: list[Path],
        size: tuple[int, int],
        batch_size: int,
    ) -> Iterator[tuple[str, list[AnyImage]]]:
        where = (self.device, self.images)
        return translated(self.name, translate, files, size, batch_size, *where)

    def parameter_counts(self) -> dict[str, int]:
        """Return the number of parameters of each trained network."""
        return {name: networks.count_parameters(net) for name, net in self.networks.items()}

    def loss_records(self) -> dict[str, LossRecord]:
        """Return the descriptions of the losses with their chance levels, by name."""
        options = self.options.model_dump()
        return {name: loss.record(options) for name, loss in self.losses.items()}
