"""request.json: what a run was asked to do."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

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

    dataset: str = Field(description="the data set's dataset.json")
    row: str = Field(description="name of the row in tables")
    method: str = Field(description="name of the method")
    seed: int = Field(0, description="of every random draw")
    size: str = Field("256", description="pixels, or HEIGHTxWIDTH")
    options: dict[str, Any] = Field({}, description="of the method, over its defaults")
    training: dict[str, Any] = Field({}, description="of the loop, over the method's defaults")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where to compute")
    replace: bool = Field(False, description="whether to replace a finished run that differs")
