"""The model card of an exported generator: Markdown with YAML at its beginning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from cut.apply.trained import Trained
from cut.base.files import sha256_of
from cut.base.image_form import RGB
from cut.methods.contract import Method
from cut.records.dataset import DatasetRecord
from cut.results.card import best_scores, facts, last_scores, licence_of, score_lines
from cut.results.run import Value, load_run

USES = {
    ".onnx": """import numpy, onnxruntime
from PIL import Image

session = onnxruntime.InferenceSession("{name}")
pixels = numpy.asarray(Image.open("photo.png").convert("RGB"), numpy.float32)
images = (pixels / 127.5 - 1).transpose(2, 0, 1)[None]
(translations,) = session.run(None, {{"images": images}})
levels = ((translations[0].transpose(1, 2, 0) + 1) * 127.5).round().clip(0, 255)
Image.fromarray(levels.astype(numpy.uint8)).save("translated.png")""",
    ".pt": """import numpy, torch
from PIL import Image

generator = torch.jit.load("{name}")
pixels = torch.from_numpy(numpy.array(Image.open("photo.png").convert("RGB")))
images = (pixels / 127.5 - 1).permute(2, 0, 1)[None]
levels = ((generator(images)[0] + 1) * 127.5).round().clamp(0, 255)
Image.fromarray(levels.byte().permute(1, 2, 0).numpy()).save("translated.png")""",
}
# For images of other forms, from and to arrays (H, W, C).
ARRAYS = """
values = numpy.load("image.npy").astype(numpy.float32)
images = ((values - {low}) / ({high} - {low}) * 2 - 1).transpose(2, 0, 1)[None]
"""
BACK = """
values = (translations[0].transpose(1, 2, 0) + 1) / 2 * ({to_high} - {to_low}) + {to_low}
numpy.save("translated.npy", values)"""
OTHER_USES = {
    ".onnx": f"""import numpy, onnxruntime

session = onnxruntime.InferenceSession("{{name}}"){ARRAYS}\
(translations,) = session.run(None, {{{{"images": images}}}}){BACK}""",
    ".pt": f"""import numpy, torch

generator = torch.jit.load("{{name}}"){ARRAYS}\
translations = generator(torch.from_numpy(images)).numpy(){BACK}""",
}


def card_of(
    trained: Trained, out: Path, file: Path, difference: float, dataset: DatasetRecord | None = None
) -> str:
    """Return the card of an exported generator.

    Args:
        trained: the generator.
        out: the name of the exported file.
        file: where it is now.
        difference: the largest one between the file's translations and the generator's.
        dataset: the run's data set, which has the licence; by default the list of known sets.

    Raises:
        UserError: the data set is not that of the run, or its scores are of other translations.
    """
    scores, record = scores_of(trained), trained.record
    licence = licence_of(record, trained.run, dataset)
    front = facts(record, trained.epoch, trained.digest, licence, scores)
    front |= {
        "file": out.name,
        "file_sha256": sha256_of(file),
        "largest_difference": float(f"{difference:.2g}"),
    }
    head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=100)
    return f"---\n{head}---\n\n{_text(trained, front, scores, out)}"


def scores_of(trained: Trained) -> dict[str, Value]:
    """Return (value, "") or (None, the reason) of each score; empty if these weights have none."""
    if not (trained.run / "scores.json").is_file():
        return {}
    run = load_run(trained.run)
    if trained.epoch == trained.record.epochs:
        return last_scores(run)
    if run.best and run.best.record.epoch == trained.epoch:
        return best_scores(run)
    return {}


def images_of(method: Method) -> str:
    """Return in words what the images and their translations are."""
    source, target = method.images.source, method.images.target
    if source == target == RGB:
        return "Images are (N, 3, H, W) in [-1, 1], red, green, blue."
    return (
        f"Images are (N, {source.channels}, H, W) in [-1, 1], translations"
        f" (N, {target.channels}, H, W). -1 and 1 stand for the values {source.low:.10g} and"
        f" {source.high:.10g} of images, and {target.low:.10g} and {target.high:.10g} of"
        " translations."
    )


def use_of(method: Method, out: Path) -> str:
    """Return a program that translates one image by the exported file."""
    source, target, end = method.images.source, method.images.target, out.suffix.lower()
    if source == target == RGB:
        return USES[end].format(name=out.name)
    ends = {"low": source.low, "high": source.high, "to_low": target.low, "to_high": target.high}
    return OTHER_USES[end].format(name=out.name, **ends)


def _text(trained: Trained, front: dict[str, Any], scores: dict[str, Value], out: Path) -> str:
    record, method = trained.record, trained.method
    h, w = record.size
    table = "\n".join(score_lines(scores))
    return f"""# {method.name} on {record.dataset}

{method.summary}. Weights of epoch {trained.epoch} of {record.epochs}, seed {record.seed}.

## Use

{images_of(method)}
H and W are multiples of {method.stride}. The training had images of {h}x{w} pixels (height x
width): at another scale the result differs.

```python
{use_of(method, out)}
```

## Agreement

On noise of several sizes the file's translations differ from the generator's by
{front["largest_difference"]:g} at most, for values in [-1, 1].

## Scores

{table}

## Data

`{record.dataset}`, digest `{record.dataset_digest}`. Licence of its images:
{front["dataset_licence"]}. What a generator of these images may be used for depends on it.

## Citation

{method.citation or method.summary}
"""
