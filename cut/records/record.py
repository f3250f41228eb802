"""The base of every record: a JSON file, or a CSV file of rows, with one pydantic model.

A record is written and read by its model alone. Unknown keys, other versions and values of the
wrong type or size are refused with one sentence that names the file and what to do. A JSON record
ends with a digest of its content, so that a damaged one is noticed.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cut.base.errors import UserError, explain, quoted
from cut.base.files import replacing, write_json

DIGEST = "sha256"  # the key of a record's own digest
SMALL, LARGE = 2**24, 2**32  # bytes of a file at most


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
        most: the largest size of the file in bytes.
    """

    most: ClassVar[int] = SMALL
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
            UserError: it is missing, no regular file, too large, or not readable as text.
        """
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise UserError(f"{path} is no regular file; {cls.again()}")
            if status.st_size > cls.most:
                raise UserError(
                    f"{path} has {status.st_size} bytes, and a {cls.name} record has at most"
                    f" {cls.most}; {cls.again()}"
                )
            return path.read_bytes().decode()
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
            UserError: the file is missing, no JSON object, of another version, not of this form,
                or changed since it was written.
        """
        path = Path(path)
        text = cls._text(path)
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path} is not a JSON file ({error}); {cls.again()}") from None
        if not isinstance(value, dict):
            raise UserError(f"{path} holds no JSON object; {cls.again()}")
        cls._check_version(value, path)
        digest = value.pop(DIGEST, None)
        if digest is not None and digest != _digest(value):
            raise UserError(
                f"{path} has changed since it was written: its content has another {DIGEST} than"
                f" it names; {cls.again()}"
            )
        try:
            return cls.model_validate_json(json.dumps(value))
        except ValidationError as error:
            sentence = explain(error, cls, "key", str(path)).removesuffix("?")
            raise UserError(f"{sentence}; {cls.again()}") from None

    def content(self) -> dict[str, Any]:
        """Return what the file holds: the fields as JSON values, then the digest of them."""
        value = json.loads(self.model_dump_json())
        return {**value, DIGEST: _digest(value)}

    @classmethod
    def find(cls, path: Path) -> Self | None:
        """Return the record in `path`, or None if there is none that can be read."""
        try:
            return cls.read(path)
        except UserError:
            return None

    def write(self, path: Path) -> None:
        """Write the record as indented JSON, atomically."""
        write_json(Path(path), self.content())

    def stands(self, path: Path) -> bool:
        """Return whether `path` holds this very record."""
        try:
            return self.read(path) == self
        except UserError:
            return False

    @classmethod
    def schema_of(cls) -> dict[str, Any]:
        """Return the JSON schema of the file; unlike in the constructor, `version` is required."""
        schema = cls.model_json_schema()
        schema["required"] = ["version", *schema.get("required", [])]
        schema["properties"][DIGEST] = {
            "description": "over the other keys, as JSON in ASCII with sorted keys and no spaces",
            "pattern": "^[0-9a-f]{64}$",
            "title": "Sha256",
            "type": "string",
        }
        return schema

    @classmethod
    def _check_version(cls, value: dict[str, Any], path: Path) -> None:
        expected = cls.model_fields["version"].default
        if "version" not in value:
            raise UserError(f"{path} has no version, so an older cutbench wrote it; {cls.again()}")
        if value["version"] != expected:
            raise UserError(
                f"{path} has version {quoted(value['version'])} and this cutbench reads version"
                f" {expected}; {cls.again()}"
            )


def _digest(value: dict[str, Any]) -> str:
    """Return the sha256 over JSON values; a number that is written in two ways has one digest."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Table(RunFile):
    """One row of a CSV file. An empty cell is None. The columns take the place of a version.

    The digest of the file is in the record that is written after it.

    Attributes:
        added: fixed columns that older files lack; each is None there.
    """

    most: ClassVar[int] = LARGE
    added: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def columns(cls) -> list[str]:
        """Return the names of the fixed columns, in order."""
        return list(cls.model_fields)

    @classmethod
    def read(cls, path: Path, digest: str = "") -> list[Self]:
        """Return the rows of `path`, in order.

        Args:
            path: the file.
            digest: its sha256, where another record names it.

        Raises:
            UserError: the file is missing, its columns are not these, a cell is no number, or it
                has another digest.
        """
        path = Path(path)
        text = cls._text(path)
        if digest and hashlib.sha256(text.encode()).hexdigest() != digest:
            raise UserError(f"{path} has changed since it was written; {cls.again()}")
        reader = csv.DictReader(io.StringIO(text), strict=True)
        try:
            cls._check_columns(list(reader.fieldnames or []), path)
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
        if names[: len(fixed)] != fixed:  # perhaps an older file
            fixed = [name for name in fixed if name not in cls.added]
        open_ended = cls.model_config["extra"] == "allow"
        if names[: len(fixed)] != fixed or (len(names) > len(fixed) and not open_ended):
            raise UserError(
                f"{path} has the columns {quoted(', '.join(names))}; expected {', '.join(fixed)};"
                f" {cls.again()}"
            )
