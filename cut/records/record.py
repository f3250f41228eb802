"""The base of every record: a JSON file, or a CSV file of rows, with one pydantic model.

A record is written and read by its model alone. Unknown keys, other versions and values of the
wrong type are refused with one sentence that names the file and what to do.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cut.base.errors import UserError, explain
from cut.base.files import replacing, write_json

Count = Annotated[int, Field(ge=0)]
# (height, width) in pixels.
PixelSize = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]


class Part(BaseModel):
    """Base of a record's parts: types are strict, unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class RunFile(Part):
    """What JSON and CSV records share: their names and how a user gets them again.

    Attributes:
        name: of the record, its schema and its command-line argument.
        files: where it stands, relative to the run or to the results.
        remedy: how a user makes the file, as an imperative.
        command: the command of `python -m cut` that writes it.
    """

    name: ClassVar[str]
    files: ClassVar[tuple[str, ...]]
    remedy: ClassVar[str]
    command: ClassVar[str]

    @classmethod
    def again(cls) -> str:
        """Return what to do about a file that is wrong."""
        return f"{cls.remedy} again (python -m cut {cls.command})"

    @classmethod
    def schema_of(cls) -> dict[str, Any]:
        """Return the JSON schema of the file (of a CSV: of one row)."""
        return cls.model_json_schema()

    @classmethod
    def _text(cls, path: Path) -> str:
        """Return the file's text.

        Raises:
            UserError: it is missing or not readable as text.
        """
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise UserError(
                f"there is no {path}; {cls.remedy} first (python -m cut {cls.command})"
            ) from None
        except (OSError, ValueError) as error:
            raise UserError(f"{path} can't be read ({error}); {cls.again()}") from None


class Record(RunFile):
    """A JSON file of one object."""

    version: Literal[1] = Field(1, description="version of this file's form")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the record in `path`.

        Raises:
            UserError: the file is missing, no JSON object, of another version, or not of this form.
        """
        path = Path(path)
        text = cls._text(path)
        try:
            value = json.loads(text)
        except ValueError as error:
            raise UserError(f"{path} is not a JSON file ({error}); {cls.again()}") from None
        if not isinstance(value, dict):
            raise UserError(f"{path} holds no JSON object; {cls.again()}")
        cls._check_version(value, path)
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            sentence = explain(error, cls, "key", str(path)).removesuffix("?")
            raise UserError(f"{sentence}; {cls.again()}") from None

    def write(self, path: Path) -> None:
        """Write the record as indented JSON, atomically."""
        write_json(Path(path), self.model_dump(mode="json"))

    @classmethod
    def schema_of(cls) -> dict[str, Any]:
        """Return the JSON schema of the file; unlike in the constructor, `version` is required."""
        schema = cls.model_json_schema()
        schema["required"] = ["version", *schema.get("required", [])]
        return schema

    @classmethod
    def _check_version(cls, value: dict[str, Any], path: Path) -> None:
        expected = cls.model_fields["version"].default
        if "version" not in value:
            raise UserError(f"{path} has no version, so an older cutbench wrote it; {cls.again()}")
        if value["version"] != expected:
            raise UserError(
                f"{path} has version {value['version']!r} and this cutbench reads version"
                f" {expected}; {cls.again()}"
            )


class Table(RunFile):
    """One row of a CSV file. An empty cell is None. The columns take the place of a version."""

    @classmethod
    def columns(cls) -> list[str]:
        """Return the names of the fixed columns, in order."""
        return list(cls.model_fields)

    @classmethod
    def read(cls, path: Path) -> list[Self]:
        """Return the rows of `path`, in order.

        Raises:
            UserError: the file is missing, its columns are not these, or a cell is no number.
        """
        path = Path(path)
        reader = csv.DictReader(io.StringIO(cls._text(path)), strict=True)
        names = list(reader.fieldnames or [])
        cls._check_columns(names, path)
        try:
            return [cls._row(cells, f"{path} line {reader.line_num}") for cells in reader]
        except csv.Error as error:
            raise UserError(f"{path} is not a CSV file ({error}); {cls.again()}") from None

    @classmethod
    def write(cls, path: Path, rows: Iterable[Self]) -> None:
        """Write the rows as CSV, atomically; the first row decides the further columns."""
        values = [row.model_dump() for row in rows]
        text = io.StringIO()
        writer = csv.DictWriter(text, values[0] if values else cls.columns(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(values)
        with replacing(Path(path)) as temporary:
            temporary.write_text(text.getvalue(), encoding="utf-8")

    @classmethod
    def _row(cls, cells: dict[str | None, Any], where: str) -> Self:
        values = {name: cell for name, cell in cells.items() if cell}
        if None in values:  # csv's name for cells beyond the last column
            raise UserError(f"{where} has more cells than columns; {cls.again()}")
        try:
            return cls.model_validate_strings(values)
        except ValidationError as error:
            raise UserError(f"{explain(error, cls, 'column', where)}; {cls.again()}") from None

    @classmethod
    def _check_columns(cls, names: list[str], path: Path) -> None:
        fixed = cls.columns()
        open_ended = cls.model_config["extra"] == "allow"
        if names[: len(fixed)] != fixed or (len(names) > len(fixed) and not open_ended):
            raise UserError(
                f"{path} has the columns {', '.join(names) or 'of an empty file'}; expected"
                f" {', '.join(fixed)}; {cls.again()}"
            )
