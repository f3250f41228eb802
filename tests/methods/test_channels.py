"""Which numbers of channels each method takes, and that it trains and translates with them."""

from __future__ import annotations

import pytest
import torch
from small_methods import SMALL

from cut.base.errors import UserError
from cut.base.image_form import DEFAULT, Form, Images
from cut.methods.channels import check_channels
from cut.methods.registry import build_method, discover

METHODS = discover().methods
TRAINED = [name for name, cls in sorted(METHODS.items()) if cls.trained]


def images_of(source, target):
    return Images(Form(channels=source, rgb=None), Form(channels=target, rgb=None))


def small(name, channels, **options):
    fields = METHODS[name].Options.model_fields
    options |= {key: value for key, value in SMALL.items() if key in fields}
    return build_method(name, options, 0, images=images_of(*channels))


def takes(name, **options):
    cls = METHODS[name]
    return cls.takes(cls.Options(**options))


def check(name, channels, **options):
    method = small(name, channels, **options)
    rng = torch.Generator().manual_seed(0)
    kind = METHODS[name].Batch
    sizes = {"source": channels[0], "target": channels[1], "second": channels[0]}
    given = kind(*(torch.rand(1, sizes[f], 32, 32, generator=rng) * 2 - 1 for f in kind._fields))
    assert all(torch.isfinite(loss) for loss in method.step(given).values())
    out = method.train(False).translate(given.source)
    assert out.shape == (1, channels[1], 32, 32)


@pytest.mark.parametrize("name", [n for n in TRAINED if takes(n) == "equal"])
def test_a_method_of_equal_channels_trains_with_four(name):
    check(name, (4, 4))
    with pytest.raises(UserError, match="as many channels"):
        small(name, (4, 3))


@pytest.mark.parametrize("name", ["cyclegan", "distancegan", "selfdistance", "munit", "drit"])
def test_a_method_of_any_channels_trains_with_one_and_four(name):
    assert takes(name) == "any"
    check(name, (1, 4))


@pytest.mark.parametrize("name", ["gcgan", "enco"])
def test_without_the_identity_term_a_method_takes_any_channels(name):
    assert takes(name) == "equal"
    assert takes(name, lambda_identity=0) == "any"
    check(name, (4, 1), lambda_identity=0)


def test_the_identity_term_of_cyclegan_needs_equal_channels():
    assert takes("cyclegan", lambda_identity=0.5) == "equal"


def test_a_method_of_commands_has_three_channels():
    assert takes("reinhard") == "three"
    with pytest.raises(UserError, match="three channels"):
        build_method("reinhard", {}, 0, images=images_of(1, 1))


def test_the_numbers_that_each_kind_takes():
    allowed = {"any": [(3, 3), (4, 4), (1, 4)], "equal": [(3, 3), (4, 4)], "three": [(3, 3)]}
    for kind, fine in allowed.items():
        for channels in [(3, 3), (4, 4), (1, 4)]:
            if channels in fine:
                check_channels("mine", kind, channels)
            else:
                with pytest.raises(UserError, match="mine"):
                    check_channels("mine", kind, channels)


def test_the_images_are_no_option():
    method = small("cyclegan", (1, 4))
    assert method.images == images_of(1, 4)
    plain = build_method("cyclegan", {}, 0).options
    assert plain.images == DEFAULT
    assert plain.of_images(images_of(1, 4)).model_dump() == plain.model_dump()


def test_controls_keep_their_meaning():
    assert takes("copy") == "equal" and takes("real") == "any"
    x = torch.rand(1, 4, 8, 8)
    assert torch.equal(build_method("copy", {}, 0, images=images_of(4, 4)).translate(x), x)
