"""The best and the worst translations."""

from __future__ import annotations

import json

import numpy as np
import pytest
from command import run_command
from fake_runs import WEIGHTS, picture, protocol, write_run, write_test
from PIL import Image

from cut.base.errors import UserError
from cut.metrics.image_folder import ImageFolder
from cut.metrics.inception.features import Features, save
from cut.records.scores import Side
from cut.report.figures import best_and_worst, image_page


def test_translations_are_ranked_by_their_distance_to_the_truth(tmp_path):
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
    assert words(figure) == [
        "cut",
        "best",
        "worst",
        "input",
        "output",
        "truth",
        "0.000",
        "img_1",
        "0.353",
        "img_2",
    ]
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
    size = image_page.frame(image.size, *2 * (best_and_worst.MOST,)).pixels
    want = np.asarray(image_page.fitted(image, size))
    corners = np.argwhere((shown == want[0, 0]).all(axis=2))
    return next(
        (x, y)
        for y, x in corners.tolist()
        if np.array_equal(shown[y : y + size[1], x : x + size[0]], want)
    )


def write_features(path, values, folder=None, weights=WEIGHTS):
    names = [f"img_{i}.png" for i in range(len(values))]
    rows = np.zeros((len(values), 2048), np.float32)
    rows[:, 0] = values
    digest = ImageFolder(folder).digest if folder else ""
    save(Features(rows, names, make_side(images_sha256=digest, weights=weights)), path)


def make_side(**changes):
    """Return the protocol of a file of features."""
    return Side.model_validate_json(json.dumps(protocol(**changes)["real"]))


def test_without_a_truth_the_nearest_real_image_decides(tmp_path):
    test = write_test(tmp_path / "test", truth=False)
    run = write_run(tmp_path / "cut", "cut")
    write_features(test / "target.npz", [0.0, 10.0], test / "target")
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
    write_features(test / "target.npz", [0.0, 10.0], test / "target")
    write_features(run / "features.npz", [1.0, 2.0, 3.0, 4.0], run / "translated")
    picture(9).save(run / "translated" / "img_2.png")
    with pytest.raises(UserError, match="is of other images than those in .*translated; score"):
        best_and_worst.rank(run, test)
    others = {**WEIGHTS, "tensors_sha256": "cd" * 32}
    write_features(run / "features.npz", [1.0, 2.0, 3.0, 4.0], run / "translated", others)
    with pytest.raises(UserError, match="not computed by one network and resize"):
        best_and_worst.rank(run, test)
    picture(9).save(test / "target" / "img_2.png")
    with pytest.raises(UserError, match=f"is of other images than those in {test / 'target'}"):
        best_and_worst.rank(run, test)


@pytest.mark.parametrize(
    ("names", "size", "count"),
    [
        (["cut", "fastcut", "no-id-15neg-last", "d", "e", "f", "g", "h"], (24, 24), 3),
        ([f"a-method-of-24-letters-{i}" for i in range(14)], (48, 24), 2),
        (["x" * 70, f"no-identity-{'another-part-' * 5}end"], (24, 48), 4),
    ],
)
def test_methods_fit_a_page_and_no_words_overlap(tmp_path, names, size, count):
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


def test_names_too_wide_for_their_images_are_left_out():
    short = best_and_worst.Ranking("cut", None, [("img", 0.1)] * 2)
    assert best_and_worst.lay_out([short], 1, 3, (64, 64)).stems
    long = best_and_worst.Ranking("cut", None, [("a-name-of-an-image-" * 3, 0.1)] * 2)
    assert not best_and_worst.lay_out([short, long], 1, 3, (64, 64)).stems


def test_a_missing_input_is_named(tmp_path):
    test = write_test(tmp_path / "test")
    run = write_run(tmp_path / "cut", "cut")
    (test / "source" / "img_3.png").unlink()
    with pytest.raises(UserError, match="img_3.png has no input of its name"):
        best_and_worst.draw(test, [run], 2)


def test_without_features_there_is_a_placeholder(tmp_path, capsys):
    test = write_test(tmp_path / "test", truth=False)
    run = write_run(tmp_path / "cut", "cut")
    for path in (test / "target.npz", run / "features.npz"):
        folder = test / "target" if path.parent == test else run / "translated"
        digest = ImageFolder(folder).digest
        side = make_side(reason="no source answered", weights=None, images_sha256=digest)
        save(Features(np.zeros((0, 2048), np.float32), [], side), path)
    arguments = ["cases", "--test", str(test), "--out", str(tmp_path / "c.png"), str(run)]
    assert run_command("report figures", arguments) == 0
    assert "no true counterparts, and no source answered" in capsys.readouterr().out
    with pytest.raises(UserError, match="--count is 0; give 1 or more"):
        run_command("report figures", [*arguments, "--count", "0"])
    with pytest.raises(UserError, match="no method is among these runs, only controls"):
        best_and_worst.draw(test, [write_run(tmp_path / "copy", "copy")], 2)
