"""How recordings of the authors' code name what a method of this project has.

A method declares it once, as its attribute `authors`; `cut.methods.parity` replays any recording of
the method by it. docs/parity.md describes the files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import Tensor


class Given(Protocol):
    """What a recording has of its first step."""

    def __call__(self, name: str) -> Tensor:
        """Return the array `step0/NAME`, `step0/draw/NAME` or `NAME`."""

    def __contains__(self, name: str) -> bool:
        """Return whether there is one."""


def translation(method: Any, given: Given) -> dict[str, Tensor]:
    """Return the translation of the first sources, under its usual name in a recording."""
    return {"fake_B": method.translate(given("A"))}


@dataclass(frozen=True)
class Correspondence:
    """What in a recording is what in a method. Equal names need no entry.

    Attributes:
        methods: other names that recordings have for the method.
        options: the method's option for a name in a recording's `meta` or in `meta.options`.
        networks: the start of a method's `network/parameter` for the start of a recorded one; the
            first that fits counts. A recording's own table, `meta.project_names`, goes first.
        transposed: the method's `network/parameter` whose first two axes are recorded swapped.
        losses: equations of losses, as "x = lambda_x*x_a + lambda_x*x_b": the method's on the left,
            recorded ones on the right. Factors are numbers or the method's options. "= name" says
            that a recorded loss is always zero.
        ignored: patterns of recorded losses that are none, such as a coordinate that the authors'
            code prints with them, and of recorded weights that are none, such as a flag.
        unused: patterns of recorded arrays, without their step, that a replay need not read, such
            as draws whose results the authors' code does not use.
        updates: for a recorded gradient's prefix, as in `step0/grad/second/...`, which update of
            the parameter's optimizer it is of, from 0. A number that ends a prefix says so itself.
        outputs: from the method before its first step, the tensors that a recording may have, by
            the names of `Given`.
        prepare: sets what is no recorded weight, after the weights are set.
    """

    methods: Sequence[str] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    networks: Mapping[str, str] = field(default_factory=dict)
    transposed: Sequence[str] = ()
    losses: Sequence[str] = ()
    ignored: Sequence[str] = ()
    unused: Sequence[str] = ()
    updates: Mapping[str, int] = field(default_factory=dict)
    outputs: Callable[[Any, Given], dict[str, Tensor]] = translation
    prepare: Callable[[Any, Given], None] | None = None


def terms_of(side: str) -> list[tuple[list[str], str]]:
    """Split one side of an equation of losses into (factors, name of the loss) for each term."""
    parts = [term.strip().split("*") for term in side.split("+") if term.strip()]
    return [(factors, name) for *factors, name in parts]
