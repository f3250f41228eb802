"""Methods of commands: a folder with shell commands instead of a class, for code from elsewhere.

`baselines/NAME/method.yaml` has the commands and options, `baselines/NAME/environment.yaml` their
conda environment. The commands read folders of PNG images at the size of the run and write a folder
of PNG images. `cut.training.external_run` exports the images and checks the result.
"""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any, ClassVar, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from cut.base.errors import UserError, explain
from cut.base.files import read_text
from cut.methods.contract import Method
from cut.methods.options import Options

# The placeholders of each command, besides the method's options.
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
    """A `method.yaml`."""

    model_config = ConfigDict(extra="forbid")

    summary: str
    citation: str = ""
    stride: int = Field(1, ge=1, le=1024)
    options: dict[str, OptionSpec] = {}
    train: str = ""  # empty: no training
    translate: str


class ExternalMethod(Method):
    """A method that the workflow runs by its commands, outside of this process."""

    trained = False
    spec: ClassVar[Spec]
    folder: ClassVar[Path]

    def outputs(self, *_: Any) -> Any:
        """Refuse, since the commands translate."""
        raise UserError(f"{self.name} runs by the commands in {self.folder}; use the workflow")


def load(folder: Path) -> type[ExternalMethod]:
    """Return the method of a folder with a `method.yaml`.

    Raises:
        UserError: the file is damaged, or a command has an unknown placeholder.
    """
    path = folder / "method.yaml"
    try:
        spec = Spec(**yaml.safe_load(read_text(path)))
    except (yaml.YAMLError, TypeError) as error:
        raise UserError(f"{path} is no YAML mapping: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        raise UserError(explain(error, Spec, "key", str(path))) from None
    if not (folder / "environment.yaml").is_file():
        raise UserError(f"{folder} has a method.yaml but no environment.yaml beside it")
    _check_placeholders(path, spec)
    return type(
        f"External_{folder.name}",
        (ExternalMethod,),
        {
            "name": folder.name,
            "summary": spec.summary,
            "citation": spec.citation,
            "stride": spec.stride,
            "spec": spec,
            "folder": folder,
            "Options": _options(folder, spec),
            "__module__": __name__,
        },
    )


def _check_placeholders(path: Path, spec: Spec) -> None:
    for stage, places in PLACES.items():
        used = {name for _, name, _, _ in string.Formatter().parse(getattr(spec, stage)) if name}
        if wrong := sorted(used - {*places, *spec.options}):
            raise UserError(
                f"{path}: {stage} names {{{wrong[0]}}}, which is neither an option nor one of"
                f" {', '.join(places)}"
            )


def _options(folder: Path, spec: Spec) -> type[Options]:
    fields: dict[str, Any] = {}
    for name, option in spec.options.items():
        bounds = option.model_dump(include={"ge", "gt", "le", "lt", "pattern"}, exclude_none=True)
        field = Field(option.default, description=option.description, **bounds)
        fields[name] = (KINDS[option.type], field)
    return create_model(f"{folder.name}_options", __base__=Options, **fields)
