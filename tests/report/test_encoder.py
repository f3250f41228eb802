"""What an encoder has learned."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from command import run_command
from fake_runs import picture, write_images, write_run, write_test

from cut.base.errors import UserError
from cut.base.tensor_files import save_tensors
from cut.base.tensors import to_tensor
from cut.methods.cut import Cut
from cut.methods.registry import build_method
from cut.report.figures import encoder

OPTIONS = {"ngf": 4, "ndf": 4, "n_blocks": 1, "nce_layers": [0, 4, 8], "n_patches": 8, "width": 8}


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
