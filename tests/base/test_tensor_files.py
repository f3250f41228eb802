"""Files of tensors: damage is noticed before the content is used."""

from __future__ import annotations

import random
import struct

import pytest
import torch

from cut.base.errors import UserError
from cut.base.tensor_files import FOLDER, not_finite, read_tensors, save_tensors

STATE = {
    "weights": {"a": torch.arange(4000.0), "b": torch.ones(3, 2)},
    "step": 7,
    "rows": [{"loss": 1.5}],
}


def same(one, other) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other


def flipped(data: bytes, bit: int) -> bytes:
    return data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]


@pytest.mark.filterwarnings("ignore")  # torch's, about numbers that the flips changed
def test_no_flipped_bit_changes_a_value_silently(tmp_path):
    path = tmp_path / "state.pt"
    save_tensors(path, STATE)
    whole = path.read_bytes()
    # The bit that marks a part as a folder: torch would take the part for an empty one.
    directory = whole.index(b"PK\x01\x02")
    (count,) = struct.unpack("<H", whole[-12:-10])
    marks = []
    for _ in range(count):
        marks.append((directory + 38) * 8 + FOLDER.bit_length() - 1)
        directory = whole.find(b"PK\x01\x02", directory + 4)
    refused = 0
    for bit in [*marks, *random.Random(0).sample(range(8 * len(whole)), 300)]:
        path.write_bytes(flipped(whole, bit))
        try:
            assert same(read_tensors(path, "a state"), STATE), bit
        except UserError:
            refused += 1
    assert refused > 270


def test_the_same_state_gives_the_same_bytes(tmp_path):
    for name in ("a.pt", "b.pt"):
        save_tensors(tmp_path / name, STATE)
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()


def test_the_first_tensor_that_is_not_finite_is_named():
    state = {"G": {"x": torch.ones(2), "n": torch.tensor(3)}, "list": [torch.tensor([1.0])]}
    assert not_finite(state) is None
    state["list"].append(torch.tensor([1.0, float("inf")]))
    assert not_finite(state) == "list.1"
    state["G"]["x"][1] = float("nan")
    assert not_finite(state) == "G.x"
