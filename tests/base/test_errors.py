"""The sentences of errors."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cut.base.errors import explain, unknown


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    depth: int = Field(1, ge=1)


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    inner: dict[str, Inner] | None = None
    odd: bool = False

    @model_validator(mode="after")
    def _not_odd(self):
        if self.odd:
            raise ValueError("Odd things are refused")
        return self


def sentence(given, **how):
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(given)
    return explain(caught.value, Outer, "option", "cut", **how)


@pytest.mark.parametrize(
    "given, expected",
    [
        ({"nam": "x"}, "unknown option of cut 'nam'; did you mean 'name'?"),
        ({}, "cut has no option 'name'"),
        ({"name": 3}, "option name of cut is 3: input should be a valid string"),
        ({"name": "x", "odd": True}, "cut: odd things are refused"),
        (
            {"name": "x", "inner": {"a": {"dept": 1}}},
            "unknown option of inner.a in cut 'dept'; did you mean 'depth'?",
        ),
        (
            {"name": "x", "inner": {"a": {"depth": 0}}},
            "option inner.a.depth of cut is 0: input should be greater than or equal to 1",
        ),
    ],
)
def test_explain_names_the_first_mistake(given, expected):
    assert sentence(given) == expected


def test_explain_hides_parts_and_shortens_values():
    found = sentence({"name": "x", "inner": {"a": {"depth": "9" * 500 + "x"}}}, hidden=["inner"])
    assert found.startswith("option a.depth of cut is '999") and len(found) < 250


def test_unknown_lists_few_names_and_counts_many():
    assert unknown("set", "zzz", ["a", "b"]).endswith("known: a, b")
    assert unknown("set", "zzz", [f"n{i:03}" for i in range(50)]).endswith("and 45 more")
