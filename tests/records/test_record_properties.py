"""Records with drawn content: what is written is read again, and other content is a sentence."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import FEW, JSON, TEXTS
from record_samples import write_samples

from cut.base.errors import UserError
from cut.records.commands import RECORDS
from cut.records.epochs import EpochScores
from cut.records.history import HistoryRow
from cut.records.record import Record
from cut.records.request import RequestRecord
from cut.records.scores import ScoresRecord

FINITE = st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}x", fullmatch=True)
PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("samples"))


@FEW
@given(
    values=st.dictionaries(st.from_regex("[a-z_]{1,20}", fullmatch=True), FINITE | st.none()),
    missing=st.dictionaries(st.from_regex("[a-z_]{1,20}", fullmatch=True), PLAIN),
)
def test_scores_are_read_as_they_were_written(samples, tmp_path, values, missing):
    record = ScoresRecord.read(samples["scores"])
    record = record.model_copy(update={"scores": values, "missing": missing})
    record.write(tmp_path / "scores.json")
    assert ScoresRecord.read(tmp_path / "scores.json") == record


@FEW
@given(
    row=NAMES,
    seed=st.integers(-(2**63), 2**63 - 1),
    options=st.dictionaries(st.from_regex("[a-z_]{1,20}", fullmatch=True), FINITE | PLAIN),
)
def test_a_request_is_read_as_it_was_written(tmp_path, row, seed, options):
    record = RequestRecord(dataset="d.json", row=row, method="cut", seed=seed, options=options)
    record.write(tmp_path / "request.json")
    assert RequestRecord.read(tmp_path / "request.json") == record


@FEW
@given(st.lists(st.tuples(FINITE, FINITE | st.none()), max_size=5))
def test_tables_are_read_as_they_were_written(tmp_path, values):
    head = {"epoch": 1, "lr_factor": 1.0, "images_per_second": 2.0}
    history = [HistoryRow(iteration=i, **head, G=a) for i, (a, _) in enumerate(values)]
    epochs = [EpochScores(epoch=1, iteration=i, fid=b) for i, (_, b) in enumerate(values)]
    for rows, model in ((history, HistoryRow), (epochs, EpochScores)):
        model.write(tmp_path / "t.csv", rows)
        assert model.read(tmp_path / "t.csv") == rows


@pytest.mark.parametrize("name", sorted(RECORDS))
@FEW
@given(content=JSON | st.binary(max_size=60))
def test_other_content_is_a_sentence(tmp_path, name, content):
    path = tmp_path / "record"
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    path.write_bytes(data)
    with pytest.raises(UserError) as caught:
        RECORDS[name].read(path)
    assert str(path) in str(caught.value) and len(str(caught.value)) < 2000


@pytest.mark.parametrize("name", sorted(n for n, m in RECORDS.items() if issubclass(m, Record)))
@FEW
@given(data=st.data(), value=JSON, key=TEXTS)
def test_a_drawn_value_in_a_record_is_kept_or_a_sentence(samples, tmp_path, name, data, value, key):
    whole = json.loads(samples[name].read_text())
    whole.pop("sha256")
    key = data.draw(st.sampled_from(sorted(whole)) | st.just(key))
    path = tmp_path / "record.json"
    path.write_text(json.dumps(whole | {key: value}))
    try:
        record = RECORDS[name].read(path)
    except UserError as error:
        assert "\n" not in str(error) and len(str(error)) < 2000
        return
    kept = record.model_dump(mode="json")
    assert not isinstance(kept[key], float) or math.isfinite(kept[key])
    record.write(path)
    assert RECORDS[name].read(path) == record
