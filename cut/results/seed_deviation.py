"""Deviations over seeds that were measured elsewhere, to judge rows of one training by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from cut.base.errors import UserError, explain, unknown
from cut.metrics.catalogue import select

# A deviation can be given of each score that has a better side.
JUDGED = select(lambda m: m.family == "score" and bool(m.better))


def _no_truth(value: Any) -> Any:
    """Refuse `true`, which pydantic takes for 1; a text may stand for a number, as Snakemake's
    --config gives it.
    """
    if isinstance(value, bool):
        raise ValueError("input should be a valid number")
    return value


Number = Annotated[float, BeforeValidator(_no_truth)]


class SeedDeviation(BaseModel):
    """The standard deviation of a score over seeds, and where it was measured."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    deviation: Number = Field(
        gt=0,
        le=1e9,
        allow_inf_nan=False,
        description="the sample's standard deviation (n - 1) over seeds, in the unit of scores.csv:"
        " shares are of 1",
    )
    seeds: int = Field(ge=2, le=1_000_000, description="number of seeds that it was measured with")
    source: str = Field(
        min_length=1, max_length=300, description="where it was measured: a page or a folder"
    )


SeedDeviations = dict[str, dict[str, dict[str, SeedDeviation]]]  # by data set, row and score


class _Given(BaseModel):
    """The deviations under the name of their key."""

    seed_deviation: SeedDeviations


def parse_deviations(given: dict[str, Any]) -> SeedDeviations:
    """Return deviations that are given as plain values, as in a config.

    Raises:
        UserError: they are not of their form.
    """
    try:
        return _Given(seed_deviation=given).seed_deviation
    except ValidationError as error:
        raise UserError(explain(error, _Given, "key", "the deviations given")) from None


def check_deviations(given: SeedDeviations, seeds: Mapping[str, Mapping[str, int]]) -> None:
    """Refuse deviations that no verdict would use.

    Args:
        given: the deviations.
        seeds: the number of seeds of each row by data set; 0 for a row that no seed changes.

    Raises:
        UserError: the data set, row or score is unknown; the row has no training, or several seeds.
    """
    for dataset, rows in given.items():
        if dataset not in seeds:
            raise UserError(unknown("data set of seed_deviation", dataset, list(seeds)))
        for row, scores in rows.items():
            place, known = f"seed_deviation.{dataset}", seeds[dataset]
            if row not in known:
                raise UserError(unknown(f"row of {place}", row, list(known)))
            if known[row] == 0:
                raise UserError(f"{place} names {row}, which no seed changes; leave it out")
            if known[row] > 1:
                raise UserError(
                    f"{place} names {row}, which has {known[row]} seeds; leave it out, since the"
                    " deviation over these is used"
                )
            for score in scores:
                if score not in JUDGED:
                    raise UserError(unknown(f"score of {place}.{row}", score, JUDGED))
