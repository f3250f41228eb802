"""Random streams: one seed, named axes, and the same numbers on every machine."""

from __future__ import annotations

import torch

from cut.base.random_streams import derive, generator


def draw(*axes, seed=0, n=4) -> list[float]:
    return torch.rand(n, generator=generator(seed, *axes)).tolist()


def test_the_numbers_of_a_stream_are_fixed():
    # A change of these values changes every published number.
    assert derive(0) == 3456079177858693020
    assert derive(3, "augmentation", 2, 5) == 5198921237324014708
    assert draw("steps", n=2) == [0.11072462797164917, 0.3724147081375122]
    assert derive(0, "order", 1) == derive(0, "order", "1")
    assert draw("order", 1) == draw("order", 1)


def test_a_stream_depends_on_its_seed_and_on_all_its_names():
    names = [(), ("order",), ("order", 1), ("order", 2), ("augmentation", 1, 2), (1, "order")]
    found = {derive(seed, *axes) for axes in names for seed in (0, 1, -1)}
    assert len(found) == 3 * len(names)
    assert all(0 <= value < 2**63 for value in found)


def test_streams_do_not_depend_on_each_other_or_on_the_global_generator():
    other = generator(0, "other")
    torch.manual_seed(5)
    first = draw("order")
    torch.rand(100, generator=other)
    torch.manual_seed(6)
    assert draw("order") == first
    state = torch.get_rng_state()
    draw("order")
    assert torch.equal(torch.get_rng_state(), state)
