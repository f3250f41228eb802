"""Methods that live in somebody else's code base: a folder with commands instead of a class.

`baselines/NAME/method.yaml` says what to run, `baselines/NAME/environment.yaml` is the conda
environment that it runs in under `--use-conda`. The workflow hands the commands folders of PNG
images at the size of the run and takes a folder of PNG images back.

    python -m cut external images DATASET.json OUT --size 256       training images for the commands
    python -m cut external record --method NAME --out RUN ...       check what they left; run.json

`record` demands one image of the right size for every test image and nothing else, then writes
what a trained run has: `run.json`, `history.csv` (no rows) and `translated/manifest.json`.
"""

from __future__ import annotations

import json
import shlex
import string
from pathlib import Path
from typing import Any, ClassVar, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from cut.base.errors import UserError, explain
from cut.methods.contract import Method, Options, parse_options

# What a command may name, besides the method's own options.
PLACES = {
    "train": ("folder", "source", "target", "model", "seed", "height", "width"),
    "translate": ("folder", "input", "model", "output", "seed", "height", "width"),
}
KINDS = {"int": int, "float": float, "bool": bool, "str": str}


class OptionSpec(BaseModel):
    """One option in `method.yaml`."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["int", "float", "bool", "str"]
    default: Any
    description: str
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    pattern: str | None = None


class Spec(BaseModel):
    """The whole of a `method.yaml`."""

    model_config = ConfigDict(extra="forbid")

    summary: str
    citation: str = ""
    stride: int = Field(1, ge=1)
    options: dict[str, OptionSpec] = {}
    train: str = ""  # a method without training leaves it out
    translate: str


class ExternalMethod(Method):
    """A method that the workflow runs by its commands; it takes no step in this process."""

    trained = False
    spec: ClassVar[Spec]
    folder: ClassVar[Path]

    @classmethod
    def code_files(cls) -> set[Path]:
        """Return every file of the method's folder but what running it leaves there."""
        found = (path for path in cls.folder.rglob("*") if path.is_file())
        return {path for path in found if "__pycache__" not in path.parts}

    @classmethod
    def command(cls, stage: str, options: dict[str, Any], places: dict[str, Any]) -> str:
        """Return the shell command of `stage`, "train" or "translate", every value quoted."""
        values = parse_options(cls.Options, options, cls.name).model_dump()
        values |= {"folder": cls.folder, **places}
        quoted = {name: shlex.quote(_text(value)) for name, value in values.items()}
        return getattr(cls.spec, stage).format(**quoted).strip()

    def outputs(self, *_: Any) -> Any:
        """Refuse: the commands do this."""
        raise UserError(f"{self.name} runs by the commands in {self.folder}; use the workflow")


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def load(folder: Path) -> type[ExternalMethod]:
    """Return the method of a folder with a `method.yaml`.

    Raises:
        UserError: the file is damaged, or a command names what there is not.
    """
    path = folder / "method.yaml"
    try:
        spec = Spec(**yaml.safe_load(path.read_text()))
    except (yaml.YAMLError, TypeError) as error:
        raise UserError(f"{path} is no YAML mapping: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        raise UserError(explain(error, Spec, "key", str(path))) from None
    if not (folder / "environment.yaml").is_file():
        raise UserError(f"{folder} has a method.yaml but no environment.yaml beside it")
    for stage, places in PLACES.items():
        used = {name for _, name, _, _ in string.Formatter().parse(getattr(spec, stage)) if name}
        if wrong := sorted(used - {*places, *spec.options}):
            raise UserError(f"{path}: {stage} names {{{wrong[0]}}}, which is neither an option nor"
                            f" one of {', '.join(places)}")  # fmt: skip
    return type(
        f"External_{folder.name}",
        (ExternalMethod,),
        {
            "name": folder.name, "summary": spec.summary, "citation": spec.citation,
            "stride": spec.stride, "spec": spec, "folder": folder,
            "Options": _options(folder, spec), "__module__": __name__,
        },
    )  # fmt: skip


def _options(folder: Path, spec: Spec) -> type[Options]:
    fields: dict[str, Any] = {}
    for name, option in spec.options.items():
        bounds = option.model_dump(include={"ge", "gt", "le", "lt", "pattern"}, exclude_none=True)
        field = Field(option.default, description=option.description, **bounds)
        fields[name] = (KINDS[option.type], field)
    return create_model(f"{folder.name}_options", __base__=Options, **fields)
