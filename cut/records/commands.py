"""Check the records that runs leave, and print their JSON schemas.

The schemas are published in `docs/schemas`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cut.base.errors import UserError, unknown
from cut.base.files import write_json
from cut.records.archive import ArchiveRecord
from cut.records.dataset import DatasetRecord
from cut.records.diversity import DiversityRecord
from cut.records.epochs import BestRecord, EpochScores, StepsRecord
from cut.records.history import HistoryRow
from cut.records.images import ExportRecord, TranslatedRecord
from cut.records.inception import InceptionRecord
from cut.records.job import JobRecord
from cut.records.networks import NetworksRecord
from cut.records.progress import ProgressRecord
from cut.records.record import Record, RunFile, Table
from cut.records.request import RequestRecord
from cut.records.resamples import Resample
from cut.records.run import RunRecord
from cut.records.scores import ScoresRecord

RECORDS: dict[str, type[RunFile]] = {
    model.name: model
    for model in (
        DatasetRecord,
        ExportRecord,
        InceptionRecord,
        NetworksRecord,
        RequestRecord,
        RunRecord,
        HistoryRow,
        TranslatedRecord,
        ScoresRecord,
        Resample,
        EpochScores,
        BestRecord,
        StepsRecord,
        DiversityRecord,
        ProgressRecord,
        JobRecord,
        ArchiveRecord,
    )
}


def model_of(path: Path) -> type[RunFile]:
    """Return the model of a file, by its name and its folder's.

    Raises:
        UserError: no record has this name.
    """
    absolute = path.absolute()
    for model in RECORDS.values():
        if any(absolute.match(pattern) for pattern in model.files):
            return model
    known = sorted({Path(name).name for model in RECORDS.values() for name in model.files})
    raise UserError(f"{path} is no record; expected a file called {', '.join(known)}")


def check(path: Path) -> str:
    """Return a line about a file after checking it against its model.

    Raises:
        UserError: the first thing that is wrong.
    """
    model = model_of(path)
    if issubclass(model, Table):
        return f"{path}: {model.name}, {len(model.read(path))} rows"
    record = model.read(path)
    assert isinstance(record, Record)
    return f"{path}: {model.name}, version {record.version}"


def write_schemas(folder: Path) -> list[Path]:
    """Write the JSON schema of every record into `folder`; return the files."""
    paths = []
    for name, model in RECORDS.items():
        paths.append(folder / f"{name}.schema.json")
        write_json(paths[-1], model.schema_of())
    return paths


def schema(name: str) -> dict[str, Any]:
    """Return the JSON schema of one record.

    Raises:
        UserError: no record has this name.
    """
    if name not in RECORDS:
        raise UserError(unknown("record", name, list(RECORDS)))
    return RECORDS[name].schema_of()
