"""The figures' common part: choice of images, files, and the same bytes for the same runs."""

from __future__ import annotations

import pytest
from command import run_command
from fake_runs import write_run, write_test

from cut.base.errors import UserError
from cut.report.figures import main


@pytest.fixture
def runs(tmp_path):
    """Return a run of every kind."""
    return [write_run(tmp_path / m, m) for m in ("copy", "cut", "fastcut", "real")]


def test_images_are_chosen_by_seed_or_by_name():
    known = [f"img_{i}" for i in range(50)]
    first = main.choose(known, 5, 0)
    assert first == main.choose(list(reversed(known)), 5, 0) == sorted(first)
    assert first != main.choose(known, 5, 1)
    assert main.choose(known, 99, 0) == sorted(known)
    assert main.choose(known, 5, 0, ["img_7.png", "img_3"]) == ["img_7", "img_3"]
    with pytest.raises(UserError, match="unknown test image 'img_x'"):
        main.choose(known, 5, 0, ["img_x"])
    with pytest.raises(UserError, match="--rows is 0"):
        main.choose(known, 0, 0)


@pytest.mark.parametrize("kind", ["grid", "cases"])
def test_the_same_images_give_the_same_bytes(tmp_path, runs, kind):
    test = write_test(tmp_path / "test")
    for name in ("one", "two"):
        out = str(tmp_path / f"{name}.png")
        run_command("report figures", [kind, "--out", out, "--test", str(test), *map(str, runs)])
    for end in ("png", "pdf"):
        one, two = (tmp_path / f"{name}.{end}" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes(), end
        assert b"CreationDate" not in one.read_bytes()


def test_another_ending_is_refused(tmp_path, runs):
    with pytest.raises(UserError, match="ends in .png"):
        run_command("report figures", ["curves", "--out", str(tmp_path / "c.svg"), str(runs[1])])
