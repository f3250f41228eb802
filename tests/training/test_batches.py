"""Batches: pairs, augmentation, and starting at any position of an epoch."""

from __future__ import annotations

import os
from collections import Counter

import numpy as np
import pytest
import torch
from conftest import write_photos
from PIL import Image

from cut.base.errors import UserError
from cut.base.images import read_image
from cut.training.batches import Augmentation, EpochPairs, Resized, batches, epoch_length

PLAIN = Augmentation((32, 32), (32, 32), flip=False)
JITTER = Augmentation((36, 36), (32, 32))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Return 5 source and 3 target images."""
    root = tmp_path_factory.mktemp("photos")
    write_photos(root / "a", 5, seed=0)
    write_photos(root / "b", 3, seed=1)
    return sorted((root / "a").glob("*.png")), sorted((root / "b").glob("*.png"))


def pairs(photos, epoch=1, seed=0, augmentation=JITTER, cache=None) -> EpochPairs:
    return EpochPairs(*photos, seed, epoch, augmentation, cache)


def listed(pairs, size=2, start=0, workers=0) -> list[torch.Tensor]:
    """Return the batches of an epoch; source and target in one tensor each."""
    return [torch.stack(batch) for batch in batches(pairs, size, start, workers)]


def same(one, other) -> bool:
    return len(one) == len(other) and all(map(torch.equal, one, other))


def test_an_epoch_shows_every_source_image_once(photos):
    assert len(pairs(photos)) == epoch_length(*photos) == 5
    assert sorted(pairs(photos).order) == [0, 1, 2, 3, 4]
    assert set(pairs(photos).partners) <= {0, 1, 2}
    # The smaller source set wraps around.
    swapped = EpochPairs(photos[1], photos[0], 0, 1, PLAIN)
    assert len(swapped) == 5
    shown = Counter(index % 3 for index in swapped.order)
    assert sorted(shown.values()) == [1, 2, 2]


def test_epochs_and_seeds_have_their_own_orders(photos):
    orders = [
        tuple(pairs(photos, epoch, seed).order + pairs(photos, epoch, seed).partners)
        for epoch, seed in ((1, 0), (2, 0), (1, 1))
    ]
    assert len(set(orders)) == 3
    assert tuple(pairs(photos).order + pairs(photos).partners) == orders[0]


def test_second_sources_are_each_source_once_in_another_order(photos):
    plain, (first, second) = (
        pairs(photos, augmentation=PLAIN),
        (EpochPairs(*photos, 0, epoch, PLAIN, second=True) for epoch in (1, 2)),
    )
    assert sorted(first.seconds) == sorted(first.order) and first.seconds != first.order
    assert first.seconds != second.seconds and plain.seconds == []
    source, target, other = first[1]
    assert torch.equal(source, plain[1][0]) and torch.equal(target, plain[1][1])
    assert torch.equal(other, plain[plain.order.index(first.seconds[1])][0])
    assert not torch.equal(*(EpochPairs(*photos, 0, 1, JITTER, second=True)[2][::2]))


def test_batches_have_the_sizes_and_the_range_that_is_promised(photos):
    whole = listed(pairs(photos), 2)
    assert [tuple(batch.shape) for batch in whole] == [(2, n, 3, 32, 32) for n in (2, 2, 1)]
    assert all(batch.min() >= -1 and batch.max() <= 1 for batch in whole)
    assert min(batch.min() for batch in whole) < -0.2


@pytest.mark.parametrize("start", [0, 1, 2, 3])
def test_an_epoch_continues_from_any_batch(photos, start):
    assert same(listed(pairs(photos), 2, start), listed(pairs(photos))[start:])


def test_worker_processes_and_the_cache_change_nothing(photos):
    whole = listed(pairs(photos))
    assert same(listed(pairs(photos), workers=2), whole)
    cache, used = Resized(), {*photos[0], *(photos[1][k] for k in pairs(photos).partners)}
    for augmentation in (JITTER, JITTER, PLAIN):
        whole = listed(pairs(photos, augmentation=augmentation))
        assert same(listed(pairs(photos, augmentation=augmentation, cache=cache)), whole)
        assert set(cache.images) == used
        assert {image.shape[1:] for image in cache.images.values()} == {augmentation.load}


def test_a_cached_image_is_read_once(photos, monkeypatch):
    read = []
    monkeypatch.setattr(
        "cut.training.batches.read", lambda path, form: read.append(path) or read_image(path)
    )
    cache = Resized()
    for epoch in (1, 2, 3):
        listed(pairs(photos, epoch, cache=cache))
    assert len(read) == len(set(read)) == len(cache.images)


def test_the_global_generator_is_neither_read_nor_moved(photos):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    whole = listed(pairs(photos))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert same(listed(pairs(photos)), whole)


def test_an_augmentation_is_a_crop_of_the_resized_image_perhaps_mirrored():
    ramp = np.arange(32 * 48, dtype=np.uint16).reshape(32, 48) % 251
    image = Image.fromarray(np.stack([ramp] * 3, axis=2).astype(np.uint8))
    whole = Augmentation((32, 48), (32, 48), flip=False)(image, torch.Generator())
    assert torch.equal(whole, torch.from_numpy(np.array(image)).permute(2, 0, 1) / 127.5 - 1)
    crops = [whole[:, top : top + 28, left : left + 40] for top in range(5) for left in range(9)]
    seen, mirrored = set(), 0
    rng = torch.Generator().manual_seed(0)
    for _ in range(200):
        out = Augmentation((32, 48), (28, 40))(image, rng)
        for flipped in (False, True):
            view = out.flip(2) if flipped else out
            where = [k for k, crop in enumerate(crops) if torch.equal(view, crop)]
            if where:
                seen.add(where[0])
                mirrored += flipped
                break
        else:
            pytest.fail("the result is no crop of the image")
    assert len(seen) > 40 and 70 < mirrored < 130


def test_without_room_and_flip_nothing_is_changed(photos):
    source, target = pairs(photos, augmentation=PLAIN)[0]
    again = pairs(photos, epoch=9, augmentation=PLAIN)
    index = again.order.index(pairs(photos).order[0])
    assert torch.equal(again[index][0], source)
    assert source.shape == target.shape == (3, 32, 32)


@pytest.mark.parametrize("workers", [0, 1])
def test_an_image_that_cannot_be_read_is_named_in_one_line(workers, tmp_path):
    write_photos(tmp_path, 3)
    paths = sorted(tmp_path.glob("*.png"))
    paths[1].write_bytes(paths[1].read_bytes()[:100])
    with pytest.raises(UserError, match=r"001\.png") as caught:
        listed(pairs((paths, paths)), workers=workers)
    assert len(str(caught.value).splitlines()) == 1 and "Error" not in str(caught.value)


def test_a_loader_that_is_killed_is_a_sentence(photos, monkeypatch):
    monkeypatch.setattr(EpochPairs, "__getitem__", lambda *_: os._exit(9))
    with pytest.raises(UserError, match="fewer workers than 1"):
        listed(pairs(photos), workers=1)
