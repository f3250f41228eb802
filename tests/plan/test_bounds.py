"""Every number that a config may give has a lower and an upper bound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cut.base.errors import UserError
from cut.data.registry import Conversion, Entry, Options
from cut.methods.registry import discover
from cut.plan import inputs
from cut.plan.config import Config
from cut.plan.plan import make_plan
from cut.training.options import TrainingOptions, training_options

METHODS = {f"method {name}": cls.Options for name, cls in discover().methods.items()}
MODELS = {
    "config": Config,
    "training": TrainingOptions,
    "data set": Entry,
    "generated set": Options,
    "conversion": Conversion,
    **METHODS,
}


def numbers(node: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each number of a JSON schema with its place."""
    if isinstance(node, dict):
        if node.get("type") in ("integer", "number"):
            yield place, node
        for key, value in node.items():
            yield from numbers(value, f"{place}.{key}")
    elif isinstance(node, list):
        for value in node:
            yield from numbers(value, place)


def test_the_walk_finds_numbers_without_bounds():
    bare = {"properties": {"x": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]}}}
    assert [place for place, _ in numbers(bare)] == [".properties.x.anyOf"]
    assert len(list(numbers(METHODS["method cut"].model_json_schema()))) > 10


@pytest.mark.parametrize("name", MODELS)
def test_every_number_has_both_bounds(name):
    for place, node in numbers(MODELS[name].model_json_schema()):
        assert {"minimum", "exclusiveMinimum"} & set(node), f"{place} has no lower bound"
        assert {"maximum", "exclusiveMaximum"} & set(node), f"{place} has no upper bound"


GOOD = {"datasets": ["coats2stripes"], "run": ["cut"], "size": 64}
DRAWN = "coats2stripes"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"options": {"n_blocks": 100_000}}, "n_blocks of row cut is 100000"),
        ({"options": {"ngf": 10**9}}, "ngf of row cut is"),
        ({"options": {"nce_layers": list(range(65))}}, "nce_layers of row cut"),
        ({"data_sources": {DRAWN: {"train": 10**12}}}, "train of data set"),
        ({"data_sources": {DRAWN: {"size": 10**6}}}, "size of data set"),
        ({"training": {"epochs_decay": 10**9}}, "epochs_decay of training"),
        ({"size": 10**6}, "at most 16384 per side"),
        ({"size": "9" * 5000}, "at most 16384 per side"),
        ({"training": {"load_size": 32}}, "row cut: load_size 32 is smaller than .* 64"),
        ({"size": "64x96", "training": {"load_size": "96x64"}}, "row cut: load_size 96x64"),
        ({"size": 16, "options": {"n_layers_D": 4}}, "row cut: size 16 is too small .* use 48 or"),
        ({"size": "128x16", "options": {"n_layers_D": 5}}, "row cut: size 128x16 is too small"),
        ({"size": 16, "run": ["munit"], "options": {"n_layers": 5}}, "row munit: .*too small"),
    ],
)
def test_a_slip_of_a_key_is_a_sentence_before_anything_runs(change, says):
    with pytest.raises(UserError, match=says) as caught:
        inputs.check_inputs(make_plan({**GOOD, **change}))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_the_training_refuses_by_the_same_check():
    cut = discover()["cut"]
    assert training_options(cut, {"load_size": 32}).load_size == 32
    with pytest.raises(UserError, match="load_size 32 is smaller"):
        training_options(cut, {"load_size": 32}, (64, 64))
    assert training_options(cut, {"load_size": "64x96"}, (64, 96))
