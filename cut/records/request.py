"""request.json: what a run was asked to do."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cut.base.image_form import Fit
from cut.records.fields import Options, Seed, Text
from cut.records.names import Name, RowName
from cut.records.record import Record


class RequestRecord(Record):
    """`request.json`: a method with options, on one data set, with one seed.

    The workflow writes it before the run begins; `python -m cut train RUN_DIR/request.json` starts
    or continues the training.
    """

    name: ClassVar[str] = "request"
    files: ClassVar[tuple[str, ...]] = ("request.json",)
    remedy: ClassVar[str] = "run the workflow, or train by hand,"
    command: ClassVar[str] = "train"

    dataset: Text = Field(description="the data set's dataset.json")
    row: RowName = Field(description="name of the row in tables")
    method: Name = Field(description="name of the method")
    seed: Seed = Field(0, description="of every random draw")
    size: Text = Field("256", description="pixels, or HEIGHTxWIDTH")
    fit: Fit = Field(
        "stretch", description="how images of another aspect ratio are brought to the size"
    )
    options: Options = Field({}, description="of the method, over its defaults")
    training: Options = Field({}, description="of the loop, over the method's defaults")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where to compute")
    replace: bool = Field(False, description="whether to replace a finished run that differs")
