"""One of several parts of a plan's runs, for machines that share no disk."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from cut.base.errors import UserError

Run = TypeVar("Run", bound=Hashable)


class Part(NamedTuple):
    """The part `number` of `count`, from 1."""

    number: int
    count: int


def part_of(text: str) -> Part:
    """Return the part that a text such as "2/5" stands for."""
    number, _, count = text.partition("/")
    return Part(int(number), int(count))


def _checked(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"\d{1,6}/\d{1,6}", value):
        number, count = part_of(value)
        if 1 <= number <= count:
            return f"{number}/{count}"
    raise PydanticCustomError("shard", "give NUMBER/COUNT, such as 2/5 for the second of five")


Shard = Annotated[
    str,
    BeforeValidator(_checked),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,6}/[0-9]{1,6}$"}),
]


def share(shard: str, runs: Sequence[tuple[Any, Run]]) -> set[Run]:
    """Return the runs of one shard; each run is in exactly one.

    All shards have the same number of runs of each kind, give or take one. They do not depend on
    the order in which runs are listed.

    Args:
        shard: such as "2/5".
        runs: what a run costs, such as its method, and the run; both can be sorted.

    Raises:
        UserError: there are fewer runs than shards.
    """
    number, count = part_of(shard)
    if count > len(runs):
        raise UserError(f"shard is {shard}, but there are {len(runs)} runs; give fewer parts")
    return {run for i, (_, run) in enumerate(sorted(runs)) if i % count == number - 1}
