"""Best and worst cases, and what an encoder has learned."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from command import run_command
from fake_runs import WEIGHTS, picture, write_images, write_run, write_test
from PIL import Image

from cut.base.errors import UserError
from cut.base.images import list_images
from cut.base.tensors import save_tensors, to_tensor
from cut.methods.cut import Cut
from cut.methods.registry import build_method
from cut.metrics.inception.features import Features, images_digest, save
from cut.report.figures import best_and_worst, encoder, image_page

OPTIONS = {"ngf": 4, "ndf": 4, "n_blocks": 1, "nce_layers": [0, 4, 8], "n_patches": 8, "width": 8}


@pytest.fixture(autouse=True)
def close():
    """Close what a test has drawn."""
    yield
    plt.close("all")


# -- cases ---------------------------------------------------------------------------------------


def test_translations_are_ranked_by_their_distance_from_the_truth(tmp_path):
    test = write_test(tmp_path / "test")
    run = write_run(tmp_path / "cut", "cut")
    for i, shift in enumerate((30, 0, 90, 10)):
        true = np.asarray(picture(i, stripes=True)).astype(int)
        moved = np.where(true < 128, true + shift, true - shift).astype(np.uint8)
        Image.fromarray(moved).save(run / "translated" / f"img_{i}.png")
    ranked = best_and_worst.rank(run, test)
    assert [name for name, _ in ranked] == ["img_1", "img_3", "img_0", "img_2"]
    assert [score for _, score in ranked] == pytest.approx([0, 10 / 255, 30 / 255, 90 / 255])
    figure = best_and_worst.draw(test, [run, write_run(tmp_path / "copy", "copy")], 1)
    assert words(figure) == ["cut", "best", "worst", "input", "output", "truth", "0.000", "img_1",
                             "0.353", "img_2"]  # fmt: skip
    # Inputs, translations, counterparts; the best on the left.
    shown = np.asarray(figure.axes[0].images[0].get_array())
    column = [picture(1), picture(1, stripes=True), picture(1, stripes=True)]
    places = [place_of(shown, image) for image in column]
    assert [x for x, _ in places] == [places[0][0]] * 3 and places[0][1] < places[1][1]
    assert place_of(shown, picture(2, stripes=True))[0] > places[0][0]


def words(figure):
    """Return the words of a figure of cases after the line that says what the score is."""
    return [text.get_text() for text in figure.texts][1:]


def place_of(shown, image):
    """Return the (x, y) of the first place where a page shows `image`, enlarged by squares."""
    size = image_page.cell(image.size, *2 * best_and_worst.CELL[1:]).pixels
    want = np.asarray(image_page.fitted(image, size))
    corners = np.argwhere((shown == want[0, 0]).all(axis=2))
    return next((x, y) for y, x in corners.tolist()
                if np.array_equal(shown[y : y + size[1], x : x + size[0]], want))  # fmt: skip


def write_features(path, values, folder=None, weights=WEIGHTS):
    names = [f"img_{i}.png" for i in range(len(values))]
    rows = np.zeros((len(values), 2048), np.float32)
    rows[:, 0] = values
    digest = images_digest(list_images(folder)) if folder else ""
    save(Features(rows, names, {"weights": weights, "images_sha256": digest}), path)


def test_without_a_truth_the_nearest_real_image_decides(tmp_path):
    test = write_test(tmp_path / "test", truth=False)
    run = write_run(tmp_path / "cut", "cut")
    write_features(test / "target.npz", [0.0, 10.0])
    write_features(run / "features.npz", [4.0, 9.5, -3.0, 0.25], run / "translated")
    ranked = best_and_worst.rank(run, test)
    want = [("img_3", 0.25), ("img_1", 0.5), ("img_2", 3.0), ("img_0", 4.0)]
    assert [name for name, _ in ranked] == [name for name, _ in want]
    assert [d for _, d in ranked] == pytest.approx([d for _, d in want])
    figure = best_and_worst.draw(test, [run], 2)
    head = figure.texts[0].get_text()
    assert "by the distance of Inception features to the nearest real test image" in head
    assert words(figure)[:5] == ["cut", "best", "worst", "input", "output"]
    assert words(figure)[5::2] == ["0.25", "0.50", "3.00", "4.00"], "two decimals, whatever it is"


def test_features_of_other_images_or_weights_are_refused(tmp_path):
    test = write_test(tmp_path / "test", truth=False)
    run = write_run(tmp_path / "cut", "cut")
    write_features(test / "target.npz", [0.0, 10.0])
    write_features(run / "features.npz", [1.0, 2.0, 3.0, 4.0], run / "translated")
    picture(9).save(run / "translated" / "img_2.png")
    with pytest.raises(UserError, match="is of other images than those in .*translated; score"):
        best_and_worst.rank(run, test)
    others = {**WEIGHTS, "tensors_sha256": "cd" * 32}
    write_features(run / "features.npz", [1.0, 2.0, 3.0, 4.0], run / "translated", others)
    with pytest.raises(UserError, match="not computed by one network and resize"):
        best_and_worst.rank(run, test)


@pytest.mark.parametrize(
    ("names", "size", "count"),
    [
        (["cut", "fastcut", "no-id-15neg-last", "d", "e", "f", "g", "h"], (24, 24), 3),
        ([f"a-method-of-24-letters-{i}" for i in range(14)], (48, 24), 2),
        (["x" * 70, f"no-identity-{'another-part-' * 5}end"], (24, 48), 4),
    ],
)
def test_methods_fit_a_page_without_words_that_touch(tmp_path, names, size, count):
    runs = []
    for folder in [tmp_path / "test" / "source", tmp_path / "test" / "truth", *names]:
        place = folder if folder not in names else tmp_path / folder / "translated"
        place.mkdir(parents=True)
        for i in range(8):
            picture(i, stripes=folder in names).resize(size).save(place / f"n{i:08d}.png")
    runs = [write_run(tmp_path / name, name, algorithm="cut", images=0) for name in names]
    figure = best_and_worst.draw(tmp_path / "test", runs, 4)
    width, height = figure.get_size_inches()
    assert width <= 6.9 and height < 9
    assert sum(word.startswith("0.") for word in words(figure)) == 2 * count * len(names)
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.texts]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    page = figure.bbox
    assert all(page.x0 <= box.x0 and box.x1 <= page.x1 and box.y1 <= page.y1 for box in boxes)
    assert all(box.y0 >= page.y0 for box in boxes)


def test_names_that_do_not_fit_below_their_images_are_left_out():
    short = best_and_worst.Cases("cut", None, [("img", 0.1)] * 2)
    assert best_and_worst.lay_out([short], 1, 3, (64, 64)).stems
    long = best_and_worst.Cases("cut", None, [("a-name-of-an-image-" * 3, 0.1)] * 2)
    assert not best_and_worst.lay_out([short, long], 1, 3, (64, 64)).stems


def test_an_input_that_a_translation_lacks_is_named(tmp_path):
    test = write_test(tmp_path / "test")
    run = write_run(tmp_path / "cut", "cut")
    (test / "source" / "img_3.png").unlink()
    with pytest.raises(UserError, match="img_3.png has no input of its name"):
        best_and_worst.draw(test, [run], 2)


def test_what_can_not_be_scored_by_image_is_said_in_the_figure(tmp_path, capsys):
    test = write_test(tmp_path / "test", truth=False)
    run = write_run(tmp_path / "cut", "cut")
    for path in (test / "target.npz", run / "features.npz"):
        save(Features(np.zeros((0, 2048), np.float32), [], {"reason": "no source answered"}), path)
    arguments = ["cases", "--test", str(test), "--out", str(tmp_path / "c.png"), str(run)]
    assert run_command("report figures", arguments) == 0
    assert "no true counterparts, and no source answered" in capsys.readouterr().out
    with pytest.raises(UserError, match="--count is 0; give 1 or more"):
        run_command("report figures", [*arguments, "--count", "0"])
    with pytest.raises(UserError, match="no method is among these runs, only controls"):
        best_and_worst.draw(test, [write_run(tmp_path / "copy", "copy")], 2)


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
        if built.embedding_state():
            save_tensors(run / "embedding.pt", built.embedding_state())
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
        run_command("report figures", ["encoder", *arguments, str(run)])
        files.append((tmp_path / f"{name}.png").read_bytes())
    assert files[0] == files[1]


def test_the_layer_of_pixels_is_compared_where_the_mark_stands(translator, monkeypatch):
    """Layer 0 is padded: a share of its height is another pixel than that share of the image's."""
    run, test = translator("cut", {**OPTIONS, "projection": "none"})
    monkeypatch.setattr(Cut, "translate", lambda self, images: images)
    monkeypatch.setattr(encoder, "_place", lambda seed, name: (0.31, 0.66))
    figure = encoder.draw(run, test, ["img_1"], 0)
    y, x = int(0.31 * 32), int(0.66 * 32)
    pixels = to_tensor(picture(1, size=32))
    want = encoder.similarity(pixels, pixels, (0.31, 0.66)).numpy()
    layers = figure.axes[2:5]
    assert np.allclose(layers[0].images[0].get_array(), want, atol=1e-6)
    assert layers[0].lines[0].get_xydata().tolist() == [[x, y]]
    for ax in layers:  # the translation is the input: nothing is more alike than the query's place
        ((mark_x, mark_y),) = ax.lines[0].get_xydata().astype(int)
        shown = ax.images[0].get_array()
        assert shown[mark_y, mark_x] == pytest.approx(shown.max()) == pytest.approx(1, abs=1e-5)
        assert ax.texts[0].get_text() == f"{shown.min():.2f} to 1.00".replace("-", "\N{MINUS SIGN}")
    assert figure.get_suptitle().startswith("cut: cosine of the marked patch")


def test_methods_without_such_an_encoder_are_refused(translator):
    run, test = translator("cyclegan", {"ngf": 4, "ndf": 4, "n_blocks": 1})
    with pytest.raises(UserError, match="cyclegan is no variant of CUT"):
        encoder.draw(run, test, ["img_0"], 0)


def test_what_is_compared_are_the_vectors_of_the_projection_heads(translator, monkeypatch):
    run, test = translator("cut")
    monkeypatch.setattr(encoder, "_place", lambda seed, name: (0.5, 0.25))
    shown = encoder.draw(run, test, ["img_2"], 0).axes[4].images[0].get_array()
    method = build_method("cut", OPTIONS, 0)
    image = to_tensor(picture(2, size=32))[None]
    with torch.inference_mode():
        place = torch.tensor([8 * 16 + 4])  # layer 8: 16x16 positions of 32x32 pixels
        out = method.G.encode(method.translate(image), [0, 4, 8])
        # z of layer 8: its head is the third.
        (query,) = method.F.mlp_2(out[2].flatten(2)[0, :, place].T)
        keys = method.F.mlp_2(method.G.encode(image, [8])[0].flatten(2)[0].T)
        want = torch.nn.functional.cosine_similarity(keys, query[None]).reshape(16, 16)
    assert np.allclose(shown, want, atol=1e-5)


def test_an_encoder_of_the_queries_own_embeds_the_translation(translator, monkeypatch):
    own = {**OPTIONS, "query_encoder": "separate", "key_gradient": True}
    run, test = translator("cut", own)
    monkeypatch.setattr(Cut, "translate", lambda self, images: images)
    shown = encoder.draw(run, test, ["img_1"], 0).axes[4].images[0].get_array()
    assert shown.max() < 0.99, "another encoder sees the same patch otherwise"
    state = torch.load(run / "embedding.pt", weights_only=True)
    generator = build_method("cut", OPTIONS, 0).G.state_dict()
    state["E"] = {name: generator[name] for name in state["E"]}
    state["F_q"] = state["F"]
    save_tensors(run / "embedding.pt", state)
    shown = encoder.draw(run, test, ["img_1"], 0).axes[4].images[0].get_array()
    assert shown.max() == pytest.approx(1, abs=1e-5), "the same encoder and heads on both sides"


def test_a_run_without_its_heads_is_told_so(translator):
    run, test = translator("cut")
    save_tensors(run / "embedding.pt", {"G": {}})
    with pytest.raises(UserError, match="embedding.pt doesn't hold the run's heads"):
        encoder.draw(run, test, ["img_0"], 0)
    (run / "embedding.pt").unlink()
    with pytest.raises(UserError, match="no file .*embedding.pt; expected a run's projection"):
        encoder.draw(run, test, ["img_0"], 0)
