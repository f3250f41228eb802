"""What `translate` may return."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cut.base.errors import UserError
from cut.methods.translated import check_output

FILES = [Path("a.png"), Path("b.png")]
GIVEN = torch.zeros(2, 3, 4, 4)


def spoiled(value: float) -> torch.Tensor:
    """Return translations of which one pixel of the second is `value`."""
    output = torch.zeros(2, 3, 4, 4)
    output[1, 0, 0, 0] = value
    return output


@pytest.mark.parametrize(
    "output, words",
    [
        (spoiled(float("nan")), r"b\.png .*not finite"),
        (spoiled(float("inf")), r"b\.png .*not finite"),
        (torch.zeros(2, 3, 4, 5), r"shape \(2, 3, 4, 4\) to \(2, 3, 4, 5\)"),
        (torch.zeros(1, 3, 4, 4), "shape"),
        ([GIVEN], "list"),
        (torch.full((2, 3, 4, 4), 255, dtype=torch.uint8), r"a\.png .*255"),
        (torch.full((2, 3, 4, 4), 1.5), r"a\.png .*\[-1, 1\]"),
    ],
)
def test_outputs_that_are_no_images_are_refused(output, words):
    with pytest.raises(UserError, match=words):
        check_output("mine", GIVEN, output, FILES)


@pytest.mark.parametrize("output", [GIVEN + 1, GIVEN - 1, spoiled(1.7), GIVEN.bfloat16()])
def test_images_pass_also_with_a_value_that_is_clipped(output):
    check_output("mine", GIVEN, output, FILES)
