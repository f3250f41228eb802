"""Write a generator as ONNX or TorchScript, and keep the file only if it agrees with the generator.

Height, width and the number of images are free in both. TorchScript is traced: torch calls it
deprecated in favour of `torch.export`, whose files C++ cannot load without compiling them first.
"""

from __future__ import annotations

import importlib.util
import logging
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from cut.apply.image import LEAST
from cut.apply.trained import Trained
from cut.base.errors import UserError
from cut.base.files import check_writable, replacing
from cut.methods.contract import Method
from cut.nets.networks import InstanceNorm

MOST = 1e-4  # the largest difference of a value in [-1, 1] that is accepted
PACKAGES = ("onnx", "onnxscript", "onnxruntime")
# Images per batch, and units of height and width: the first is traced, all are compared.
SHAPES = ((2, 4, 3), (1, 2, 5), (3, 3, 2))

Run = Callable[[Tensor], Tensor]
Writer = Callable[[nn.Module, Tensor, Path, int], Run]


class Translation(nn.Module):
    """The translation of a method as a module, with the networks that it needs and no others.

    It takes the method over: networks that only a training needs are removed from it.
    """

    def __init__(self, method: Method) -> None:
        super().__init__()
        for name, _ in list(method.named_children()):
            if name not in method.generator:
                delattr(method, name)
        for module in method.modules():
            if isinstance(module, InstanceNorm):
                module.guard = False  # it guards gradients; exporters know torch's own norm
        self.method = method.to("cpu").train(False).requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        """Translate (N, C, H, W) in [-1, 1]."""
        return self.method.translate(images)


def export_generator(
    trained: Trained, out: Path, card: Callable[[Path, float], str], replace: bool = False
) -> float:
    """Write `out`, and a model card beside it; return the largest difference to the generator.

    Args:
        trained: the generator; its method is not to be used afterwards.
        out: a path that ends with .onnx or .pt.
        card: returns the text of the card, of the file that was written and the difference.
        replace: whether files that are there are replaced.

    Raises:
        UserError: the path is of another kind or taken, the packages for ONNX are missing, or the
            method can't be exported. Then nothing is written.
    """
    out = Path(out)
    write = {".onnx": write_onnx, ".pt": write_script}.get(out.suffix.lower())
    if write is None:
        raise UserError(f"{out} ends with neither .onnx nor .pt (TorchScript); give one of these")
    _check(trained, out, replace)
    if write is write_onnx:
        check_packages()
    with replacing(out) as temporary:
        difference = _written(write, trained.method, temporary, out.suffix)
        text = card(temporary, difference)
        with replacing(card_path(out)) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
    return difference


def _written(write: Writer, method: Method, path: Path, kind: str) -> float:
    """Write the file and compare it; return the largest difference to the generator."""
    network, images = Translation(method), examples(method.stride, method.images.source.channels)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about exporters' insides
            written = write(network, images[0], path, method.stride)
            difference = max(largest_difference(network, written, x) for x in images)
    except Exception as error:  # noqa: BLE001 - exporters raise almost anything
        raise UserError(
            f"method {method.name} can't be exported as {kind}"
            f" ({(str(error).strip() or type(error).__name__).splitlines()[0][:200]}); nothing"
            " was written"
        ) from None
    if not difference <= MOST:
        raise UserError(
            f"the export of method {method.name} as {kind} differs from its generator by up to"
            f" {difference:.2g}, more than {MOST:g}; nothing was written"
        )
    return difference


def card_path(out: Path) -> Path:
    """Return the place of the model card of an exported file."""
    return out.with_suffix(".md")


def _check(trained: Trained, out: Path, replace: bool) -> None:
    """Refuse what can't be exported, or a place that is taken."""
    if not trained.method.trained:
        raise UserError(f"{trained.run} is a run of {trained.method.name}, which has no generator")
    if not trained.one_result:
        raise UserError(
            f"method {trained.method.name} draws random numbers from an image's pixels, which no"
            " exported file can; translate with python -m cut translate"
        )
    for path in (out, card_path(out)):
        check_writable(path)
        if path.exists() and not replace:
            raise UserError(f"{path} is there; give --replace, or another name")


def check_packages() -> None:
    """Refuse to write ONNX without the packages that write and run it.

    Raises:
        UserError: names those that are missing.
    """
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"ONNX needs {', '.join(missing)}, which this environment lacks; install with"
            f" pip install {' '.join(missing)}, or export to OUT.pt"
        )


def examples(stride: int, channels: int = 3) -> list[Tensor]:
    """Return batches of noise, (N, channels, H, W) in [-1, 1], of several sizes."""
    unit = LEAST + -LEAST % stride
    rng = torch.Generator().manual_seed(0)
    return [
        torch.rand(n, channels, h * unit, w * unit, generator=rng) * 2 - 1 for n, h, w in SHAPES
    ]


def largest_difference(network: Run, written: Run, images: Tensor) -> float:
    """Return the largest absolute difference of the two translations; infinite for other shapes."""
    ours, theirs = network(images), written(images)
    return float((ours - theirs).abs().max()) if ours.shape == theirs.shape else float("inf")


def write_script(network: nn.Module, images: Tensor, path: Path, stride: int) -> Run:
    """Write TorchScript, and return the translation of the file."""
    torch.jit.save(torch.jit.trace(network, images, check_trace=False), path)
    return torch.jit.load(path, map_location="cpu")


def write_onnx(network: nn.Module, images: Tensor, path: Path, stride: int) -> Run:
    """Write ONNX with the input `images` and the output `translations`; return its translation."""
    import onnxruntime

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    sides = [torch.export.Dim(name, min=LEAST // stride) for name in ("height", "width")]
    height, width = (side if stride == 1 else stride * side for side in sides)
    program = torch.onnx.export(
        network,
        (images,),
        dynamo=True,
        verbose=False,
        input_names=["images"],
        output_names=["translations"],
        dynamic_shapes=({0: torch.export.Dim.DYNAMIC, 2: height, 3: width},),
    )
    program.save(path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def run(given: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {"images": given.numpy()})[0])

    return run
