"""FID by epoch, costs, best and worst cases, and what an encoder has learned."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import seaborn as sns
import torch
from fake_runs import WEIGHTS, picture, write_best, write_images, write_run, write_test
from matplotlib.colors import to_rgb
from PIL import Image

from cut import cases, cost, encoder, figures, stability
from cut.errors import NothingToShow, UserError
from cut.files import save_tensors
from cut.metrics.features import Features, save
from cut.results import load_run
from cut.train import build_method

OPTIONS = {"ngf": 4, "ndf": 4, "n_blocks": 1, "nce_layers": [0, 4, 8], "n_patches": 8, "width": 8}


@pytest.fixture(autouse=True)
def close():
    """Close what a test has drawn."""
    yield
    plt.close("all")


def lines_of(figure, colour):
    """Return the drawn (x, y) of lines of a colour with more than one point."""
    found = [line for line in figure.axes[0].lines if to_rgb(line.get_color()) == to_rgb(colour)]
    return [(list(line.get_xdata()), list(line.get_ydata())) for line in found
            if len(line.get_xdata()) > 1]  # fmt: skip


def no_overlap(figure):
    """Return whether no two texts of a figure's first axes overlap."""
    figure.canvas.draw()
    boxes = [t.get_window_extent() for t in figure.axes[0].texts]
    return not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


# -- FID by epoch --------------------------------------------------------------------------------


@pytest.fixture
def followed(tmp_path):
    """Return runs of two rows, one with two seeds, and both controls."""
    root = tmp_path / "results"
    runs = [write_run(root / "copy", "copy", scores={"fid": 100.0}),
            write_run(root / "real", "real", scores={"fid": 20.0})]  # fmt: skip
    for seed, end in ((0, 50.0), (1, 60.0)):
        run = write_run(root / f"cut{seed}", "cut", seed=seed, scores={"fid": end})
        runs.append(write_best(run, {1: 90.0, 2: 40.0 + 10 * seed, 3: end}))
    run = write_run(root / "fastcut", "fastcut", scores={"fid": 70.0})
    return [*runs, write_best(run, {1: 80.0, 2: 75.0, 3: 70.0})]


def test_a_row_is_the_mean_of_its_seeds_with_each_best_epoch_ringed(followed):
    figure = stability.draw([load_run(run) for run in followed])
    blue, orange = sns.color_palette("colorblind", 2)
    epochs = [1, 2, 3]
    assert lines_of(figure, orange) == [(epochs, [80.0, 75.0, 70.0])]
    seeds = [(epochs, [90.0, 40.0, 50.0]), (epochs, [90.0, 50.0, 60.0])]
    assert lines_of(figure, blue) == [*seeds, (epochs, [90.0, 45.0, 55.0])]
    rings = [(line.get_xdata()[0], line.get_ydata()[0]) for line in figure.axes[0].lines
             if line.get_markerfacecolor() == "none"]  # fmt: skip
    assert sorted(rings) == [(2, 40.0), (2, 50.0), (3, 70.0)]
    assert {t.get_text() for t in figure.axes[0].texts} == {"copy", "real"} and no_overlap(figure)
    words = [t.get_text() for t in figure.legends[0].get_texts()]
    assert words == ["cut", "fastcut", "best epoch"]


def test_a_collapse_makes_the_axis_logarithmic(tmp_path):
    run = write_best(write_run(tmp_path / "cut", "cut"), {1: 400.0, 2: 30.0})
    assert stability.draw([load_run(run)]).axes[0].get_yscale() == "log"
    run = write_best(write_run(tmp_path / "fastcut", "fastcut"), {1: 60.0, 2: 30.0})
    axes = stability.draw([load_run(run)]).axes[0]
    assert axes.get_yscale() == "linear" and axes.get_ylim()[0] == 0


def test_without_scores_along_the_way_the_figure_says_so(tmp_path, capsys):
    run = write_run(tmp_path / "cut", "cut")
    with pytest.raises(NothingToShow, match="set best: {every: N} and train"):
        stability.draw([load_run(run)])
    out = tmp_path / "s.png"
    assert figures.main(["stability", "--out", str(out), str(run)]) == 0
    assert "nothing to draw: no run has a FID" in capsys.readouterr().out
    assert Image.open(out).width > 300


# -- costs ---------------------------------------------------------------------------------------


def test_costs_are_points_of_the_trained_rows_alone(tmp_path):
    runs = [write_run(tmp_path / "copy", "copy", scores={"fid": 90.0}),
            write_run(tmp_path / "a", "cut", scores={"fid": 50.0}, seconds_per_iteration=0.2),
            write_run(tmp_path / "b", "cut", seed=1, scores={"fid": 60.0},
                      seconds_per_iteration=0.4),
            write_run(tmp_path / "c", "fastcut", scores={"fid": None},
                      missing={"fid": "no weights"})]  # fmt: skip
    figure = cost.draw([load_run(run) for run in runs])
    for axes, x in zip(figure.axes, (0.3, 0.512), strict=True):
        points = [line for line in axes.lines if len(line.get_xdata()) == 1]
        assert [(p.get_xdata()[0], p.get_ydata()[0]) for p in points] == [(pytest.approx(x), 55.0)]
        assert axes.get_xlim()[1] > x
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["cut"]
    assert figure.get_suptitle() == "on Example CPU & Co, 1 thread (resident memory)"
    with pytest.raises(NothingToShow, match="no run has both a FID and a cost"):
        cost.draw([load_run(runs[0]), load_run(runs[3])])


def test_runs_of_two_data_sets_are_refused(tmp_path):
    runs = [load_run(write_run(tmp_path / d, "cut", dataset=d)) for d in ("a", "b")]
    for module in (cost, stability):
        with pytest.raises(UserError, match="one figure shows one data set, but runs of a, b were"):
            module.draw(runs)


# -- cases ---------------------------------------------------------------------------------------


def test_translations_are_ranked_by_their_distance_from_the_truth(tmp_path):
    test = write_test(tmp_path / "test")
    run = write_run(tmp_path / "cut", "cut")
    for i, shift in enumerate((30, 0, 90, 10)):
        true = np.asarray(picture(i, stripes=True)).astype(int)
        moved = np.where(true < 128, true + shift, true - shift).astype(np.uint8)
        Image.fromarray(moved).save(run / "translated" / f"img_{i}.png")
    ranked = cases.rank(run, test)
    assert [name for name, _ in ranked] == ["img_1", "img_3", "img_0", "img_2"]
    assert [score for _, score in ranked] == pytest.approx([0, 10 / 255, 30 / 255, 90 / 255])
    figure = cases.draw(test, [run, write_run(tmp_path / "copy", "copy")], 1)
    labels = [ax.get_xlabel() for block in figure.subfigs for ax in block.axes if ax.get_xlabel()]
    assert labels == ["0.00", "0.353"]
    shown = [ax.images[0].get_array() for ax in figure.subfigs[0].axes]
    # Inputs, translations, counterparts; the best on the left.
    assert len(shown) == 6
    assert np.array_equal(shown[0], np.asarray(picture(1)))
    assert np.array_equal(shown[4], np.asarray(picture(1, stripes=True)))
    assert np.array_equal(shown[5], np.asarray(picture(2, stripes=True)))


def write_features(path, values):
    names = [f"img_{i}.png" for i in range(len(values))]
    rows = np.zeros((len(values), 2048), np.float32)
    rows[:, 0] = values
    save(Features(rows, names, {"weights": WEIGHTS}), path)


def test_without_a_truth_the_nearest_real_image_decides(tmp_path):
    test = write_test(tmp_path / "test", truth=False)
    run = write_run(tmp_path / "cut", "cut")
    write_features(test / "target.npz", [0.0, 10.0])
    write_features(run / "features.npz", [4.0, 9.5, -3.0, 0.25])
    ranked = cases.rank(run, test)
    want = [("img_3", 0.25), ("img_1", 0.5), ("img_2", 3.0), ("img_0", 4.0)]
    assert [name for name, _ in ranked] == [name for name, _ in want]
    assert [d for _, d in ranked] == pytest.approx([d for _, d in want])
    title = cases.draw(test, [run], 2).subfigs[0].axes[0].get_title(loc="left")
    assert title == "cut: best by feature distance to a real image"


def test_what_can_not_be_scored_by_image_is_said_in_the_figure(tmp_path, capsys):
    test = write_test(tmp_path / "test", truth=False)
    run = write_run(tmp_path / "cut", "cut")
    for path in (test / "target.npz", run / "features.npz"):
        save(Features(np.zeros((0, 2048), np.float32), [], {"reason": "no source answered"}), path)
    arguments = ["cases", "--test", str(test), "--out", str(tmp_path / "c.png"), str(run)]
    assert figures.main(arguments) == 0
    assert "no true counterparts, and no source answered" in capsys.readouterr().out
    with pytest.raises(UserError, match="--count is 0; give 1 or more"):
        figures.main([*arguments, "--count", "0"])
    with pytest.raises(UserError, match="no method is among these runs, only controls"):
        cases.draw(test, [write_run(tmp_path / "copy", "copy")], 2)


# -- the encoder ---------------------------------------------------------------------------------


def test_a_patch_is_most_like_itself():
    maps = torch.randn(8, 6, 5, generator=torch.Generator().manual_seed(0))
    shown = encoder.similarity(3 * maps, maps, (0.5, 0.99))
    assert shown.shape == (6, 5) and divmod(int(shown.argmax()), 5) == (3, 4)
    assert float(shown.max()) == pytest.approx(1) and float(shown.min()) >= -1
    left = encoder.similarity(torch.ones(2, 1, 1), torch.tensor([[[1.0, 0]], [[1, -1]]]), (0, 0))
    assert left.tolist() == [pytest.approx([1, -(2**-0.5)])]


def test_components_of_known_features_are_their_axes():
    y, x = torch.meshgrid(torch.linspace(-1, 1, 8), torch.linspace(-1, 1, 10), indexing="ij")
    noise = torch.zeros(8, 10)
    noise[::2, ::2] = 0.1
    maps = torch.stack([0.5 * y, 5 * x, noise - noise.mean()])  # the widest is the second
    first, second = encoder.principal_colours([maps, maps])
    assert first.shape == (8, 10, 3) and np.array_equal(first, second)
    assert (np.diff(first[:, :, 0], axis=1) >= 0).all(), "the first component goes with x"
    assert first[0, 0, 0] == 0 and first[0, -1, 0] == pytest.approx(1)
    assert (np.diff(first[:, :, 1], axis=0) >= 0).all(), "the second with y"
    flat = encoder.principal_colours([torch.ones(2, 3, 3)])[0]
    assert flat.shape == (3, 3, 3) and not flat.any(), "nothing varies, and two channels make two"


@pytest.fixture
def translator(tmp_path):
    """Return a function that writes a run of a method with its weights, and its test images."""
    test = write_test(tmp_path / "test")
    write_images(test / "source", 4, size=32)

    def write(method, options=OPTIONS):
        run = write_run(tmp_path / method, method, size=[32, 32], options=options)
        built = build_method(method, options, 0)
        save_tensors(run / "generator.pt", built.generator_state())
        return run, test

    return write


def test_a_row_shows_the_query_every_layer_and_the_components(translator, tmp_path):
    run, test = translator("cut")
    figure = encoder.draw(run, test, ["img_1", "img_3"], 0)
    assert len(figure.axes) == 2 * (4 + 3)
    titles = [ax.get_title() for ax in figure.axes[:7]]
    assert titles[:5] == ["translation", "input", "layer 0", "layer 4", "layer 8"]
    assert np.array_equal(figure.axes[1].images[0].get_array(), np.asarray(picture(1, size=32)))
    files = []
    for name in ("a", "b"):
        arguments = ["--out", str(tmp_path / f"{name}.png"), "--test", str(test), "--rows", "2"]
        figures.main(["encoder", *arguments, str(run)])
        files.append((tmp_path / f"{name}.png").read_bytes())
    assert files[0] == files[1]


def test_methods_without_such_an_encoder_are_refused(translator):
    run, test = translator("cyclegan", {"ngf": 4, "ndf": 4, "n_blocks": 1})
    with pytest.raises(UserError, match="cyclegan is no variant of CUT"):
        encoder.draw(run, test, ["img_0"], 0)
    own = {**OPTIONS, "query_encoder": "separate", "key_gradient": True}
    run, test = translator("cut", own)
    with pytest.raises(UserError, match="an encoder of its own, which generator.pt does not hold"):
        encoder.draw(run, test, ["img_0"], 0)


def test_the_same_runs_give_the_same_bytes(followed, tmp_path):
    for kind in ("stability", "cost"):
        for name in ("a", "b"):
            figures.main([kind, "--out", str(tmp_path / f"{name}.png"), *map(str, followed)])
        for end in ("png", "pdf"):
            assert (tmp_path / f"a.{end}").read_bytes() == (tmp_path / f"b.{end}").read_bytes()


def test_a_benchmark_plans_the_figures_that_it_has_something_for():
    from cut.config import make_plan

    base = {"datasets": ["coats2stripes"], "size": 32}
    assert make_plan({**base, "run": ["copy", "gcgan"]}).encoded("coats2stripes") is None
    plan = make_plan({**base, "run": ["copy", "moco", "cut"]})
    assert plan.encoded("coats2stripes") == "results/coats2stripes/moco/seed0"
    own = {"query_encoder": "separate", "key_gradient": True}
    plan = make_plan(
        {**base, "run": ["own"], "methods": {"own": {"method": "cut", "options": own}}}
    )
    assert plan.encoded("coats2stripes") is None
