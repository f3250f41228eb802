"""Replay recorded steps of the authors' code with this project's methods, and compare.

A file holds float64 arrays: inputs, weights before and after, and of each step the random draws,
losses and gradients. The replay builds the recording's method with its options and weights, and
calls the same `step` as the training loop. A method names its draws (`Method.draw`), so that the
recorded ones take their place, and says what corresponds to what (`Method.authors`).
docs/parity.md describes the keys, and how a new method is held to a recording.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer

from cut.base.errors import UserError
from cut.methods.contract import Method
from cut.methods.correspondence import terms_of
from cut.methods.cut import Cut
from cut.methods.recorded_layout import recorded_layout
from cut.methods.recording import Arrays, Recording

KINDS = ("outputs", "losses", "gradients", "weights")
# The gradient of a bias before instance norm is rounding noise. Adam divides by its size, so the
# steps differ between programs, and no output depends on them. A parameter whose recorded gradient
# is below this share of the largest in its network is not compared. Within a parameter, entries can
# be noise too, such as the shift of a channel that no ReLU cuts before the next norm; for them the
# share is smaller, and an entry that is exactly zero counts as any other.
NOISE = 1e-9
NOISE_OF_ENTRY = 1e-12
ROUNDING = 1e-12


class Replay(NamedTuple):
    """What a replay found.

    Attributes:
        method: the name of the method.
        errors: the largest relative error of each of `KINDS` that the recording has.
        unused: keys of the recording that were neither set nor compared as a whole.
    """

    method: str
    errors: dict[str, float]
    unused: list[str]

    def within(self, tolerance: float) -> bool:
        """Return whether no error exceeds the tolerance."""
        return max(self.errors.values()) <= tolerance


def replay(arrays: Arrays, as_recorded: bool = False) -> Replay:
    """Replay a file's steps and compare each array on the scale of its largest value.

    `as_recorded` also repeats the memory layout of the recording (see `recorded_layout`).

    Raises:
        UserError: the file lacks an array, or has an option, loss or weight without counterpart.
        KeyError: the file lacks inputs or `meta`.
    """
    recording = Recording(arrays)
    method = build(recording, as_recorded)
    errors = Errors()
    _compare_outputs(method, recording, errors)
    taken = _watch(method.optimizers.values())
    noise: dict[str, Tensor] = {}
    for step in range(recording.steps):
        recording.start_step(step)
        taken.clear()
        state = method.rng.get_state()
        losses = method.step(recording.batch(step))
        if not torch.equal(state, method.rng.get_state()):
            raise UserError(
                f"a step of {method.name} draws random numbers without Method.draw; name each draw"
            )
        _compare_losses(method, losses, recording, errors)
        _compare_norms(method, taken, recording, errors)
        if step == 0:
            noise = _compare_gradients(method, taken, recording, errors)
    _compare_weights(method, recording, noise, errors)
    return Replay(method.name, errors.largest, recording.unused() + errors.undefined)


def build(recording: Recording, as_recorded: bool = False) -> Method:
    """Build the method of a recording in float64, with the weights from before its first step.

    `as_recorded` gives a method of CUT's family the memory layout of the recording.

    Raises:
        UserError: the recorded weights and those of the method differ in name or shape.
    """
    cls = recording.method
    if as_recorded and issubclass(cls, Cut):
        cls = recorded_layout(cls)
    method = cls(recording.options())
    method.to(torch.float64)
    method.epoch = int(recording.meta.get("epoch", 1))
    state, given = _state(method), recording.weights("before")
    with torch.no_grad():
        for name, (key, value) in given.items():
            like = _entry(state, name, key)
            like.copy_(_shaped(value, like, key))
    trained = [name for name in state if name.split("/")[0] in method.networks]
    for name in trained:
        if name not in given and not name.endswith(".filt"):
            raise UserError(f"the recording lacks {name} of before its first step")
    if recording.authors.prepare:
        recording.authors.prepare(method, recording)
    method.given_draws = recording.draw
    return method


class Update(NamedTuple):
    """A parameter's gradients in one update, as the optimizer saw it and before clipping."""

    grad: Tensor | None
    grad_before_clipping: Tensor | None


class Errors:
    """The largest relative error of each kind of array that was compared.

    Entries that are recorded as no number are left out, and their keys noted in `undefined`.
    """

    def __init__(self) -> None:
        self.largest: dict[str, float] = {}
        self.undefined: list[str] = []

    def add(self, kind: str, key: str, got: Tensor, want: Tensor) -> None:
        """Count the largest difference over the largest value (or itself where that is zero).

        Raises:
            UserError: the shapes differ by more than axes of length 1.
        """
        got, want = got.detach(), _shaped(want, got, key)
        defined = torch.isfinite(want)
        if not defined.all():
            self.undefined.append(key)
        got, want = (torch.where(defined, x, 0.0) for x in (got, want))
        largest = float(want.abs().max())
        # A mean of numbers that cancel is rounding noise, and compared by its difference.
        error = float((got - want).abs().max()) / (largest if largest > ROUNDING else 1.0)
        # What is no number agrees with no number.
        error = error if math.isfinite(error) else math.inf
        self.largest[kind] = max(self.largest.get(kind, 0.0), error)


def _state(method: Method) -> dict[str, Tensor]:
    """Return parameters and buffers by `network/parameter`; any module counts as a network."""
    tensors: dict[str, Tensor] = {}
    for network, module in method.named_modules():
        if network:
            for key, value in (*module.named_parameters(), *module.named_buffers()):
                tensors[f"{network}/{key}"] = value
    return tensors


def _entry(state: Mapping[str, Tensor], name: str, key: str) -> Tensor:
    if name not in state:
        raise UserError(f"the recording's {key} is {name}, which the method does not have")
    return state[name]


def _shaped(value: Tensor, like: Tensor, key: str) -> Tensor:
    """Return `value` in the shape of `like`, which may only lack or add axes of length 1."""
    if [n for n in value.shape if n != 1] != [n for n in like.shape if n != 1]:
        raise UserError(
            f"the recording's {key} is {tuple(value.shape)}; with its options it would be"
            f" {tuple(like.shape)}"
        )
    return value.reshape(like.shape)


def _watch(optimizers: Iterable[Optimizer]) -> dict[int, list[Update]]:
    """Return a list for each parameter, by id, that will have its gradients of each update."""
    taken: dict[int, list[Update]] = defaultdict(list)
    summed: dict[int, Tensor] = {}

    def keep(p: Tensor) -> None:
        summed[id(p)] = p.grad.clone()

    def note(optimizer: Optimizer, *_: Any) -> None:
        for group in optimizer.param_groups:
            for p in group["params"]:
                seen = None if p.grad is None else p.grad.clone()
                taken[id(p)].append(Update(seen, summed.pop(id(p), None)))

    for optimizer in optimizers:
        optimizer.register_step_pre_hook(note)
        for group in optimizer.param_groups:
            for p in group["params"]:
                p.register_post_accumulate_grad_hook(keep)
    return taken


@torch.no_grad()
def _compare_outputs(method: Method, recording: Recording, errors: Errors) -> None:
    for name, value in recording.authors.outputs(method, recording).items():
        if name in recording:
            errors.add("outputs", name, value, recording(name))


def _compare_losses(
    method: Method, losses: Mapping[str, Tensor], recording: Recording, errors: Errors
) -> None:
    """Compare the losses of the present step: by the equations, the others by their names."""
    ours = {name: float(value) for name, value in losses.items()}
    theirs = recording.losses()
    options = method.options.model_dump()
    pairs, left = [], dict(theirs)
    for equation in recording.authors.losses:
        here, _, there = equation.partition("=")
        names = [name for _, name in terms_of(there)]
        if any(name in theirs for name in names):
            pairs.append((_total(here, ours, options), _total(there, theirs, options)))
            left = {name: value for name, value in left.items() if name not in names}
    for name, value in left.items():
        if any(fnmatch(name, pattern) for pattern in recording.authors.ignored):
            continue
        if name not in ours and value != 0:
            raise UserError(
                f"the recorded loss {name} is none of {method.name}'s ({', '.join(ours)}); add an"
                " equation to its `authors`"
            )
        pairs.append((ours.get(name, 0.0), value))
    for got, want in pairs:
        values = (torch.tensor(x, dtype=torch.float64) for x in (got, want))
        errors.add("losses", "loss", *values)


def _total(side: str, losses: Mapping[str, float], options: Mapping[str, Any]) -> float:
    """Return the value of one side of an equation of losses."""
    total = 0.0
    for factors, name in terms_of(side):
        weight = math.prod(options[f] if f in options else float(f) for f in factors)
        # A term of weight zero is recorded as zero or not at all, and not computed here.
        total += weight * losses.get(name, 0.0)
    return total


def _compare_gradients(
    method: Method, taken: Mapping[int, list[Update]], recording: Recording, errors: Errors
) -> dict[str, Tensor]:
    """Compare the gradients of a step; return which entries of each parameter are all noise."""
    state = _state(method)
    noise: dict[str, Tensor] = {}
    for group in reversed(Update._fields):  # the noise is that of the last, "grad"
        found = recording.gradients(group)
        largest: dict[tuple[str, int], float] = defaultdict(float)  # of each network and update
        for name, update, value in found.values():
            network = name.split("/")[0], update
            largest[network] = max(largest[network], float(value.abs().max()))
        noise = {}
        for key, (name, update, want) in found.items():
            size, scale = want.abs(), largest[name.split("/")[0], update]
            whole = float(size.max()) <= NOISE * scale
            lost = (size > 0) & (size <= NOISE_OF_ENTRY * scale) | whole
            noise[name] = noise[name] & lost if name in noise else lost
            if whole:
                continue
            updates = taken.get(id(_entry(state, name, key)), [])
            got = getattr(updates[update], group) if update < len(updates) else None
            if got is None:
                raise UserError(f"the recording has {key}, but a step has no such update of {name}")
            errors.add("gradients", key, got, want)
    return noise


def _compare_norms(
    method: Method, taken: Mapping[int, list[Update]], recording: Recording, errors: Errors
) -> None:
    """Compare the norm of a network's gradient in the first update of the present step."""
    for key, (network, want) in recording.norms().items():
        if network not in method.networks:
            raise UserError(f"the recording has {key}, but {method.name} has no network {network}")
        updates = [taken[id(p)] for p in method.networks[network].parameters() if id(p) in taken]
        gradients = [first.grad_before_clipping for first, *_ in updates]
        squares = [g.square().sum() for g in gradients if g is not None]
        errors.add("gradients", key, torch.stack(squares).sum().sqrt(), want)


def _compare_weights(
    method: Method, recording: Recording, noise: Mapping[str, Tensor], errors: Errors
) -> None:
    state = _state(method)
    for name, (key, want) in recording.weights("after").items():
        got = _entry(state, name, key)
        want = _shaped(want, got, key)
        lost = noise[name].reshape(got.shape) if name in noise else torch.tensor(False)
        if not lost.all():
            errors.add("weights", key, torch.where(lost, want, got), want)
