"""Records that are damaged, or that someone wrote to do harm."""

from __future__ import annotations

import json
import os
import random

import pytest
from fake_runs import change_record, write_run
from record_samples import write_samples

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.records.commands import RECORDS
from cut.records.record import Record
from cut.records.run import RunRecord

JSON = sorted(name for name, model in RECORDS.items() if issubclass(model, Record))
ODD = ("a|b", "a\nb", "<script>", "\\input{x}", "=1+1", "x" * 10_000_000, "", ".")
OUTSIDE = ("../../x", "/x", "a/b", *ODD)


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture
def damaged(samples, tmp_path):
    """Return a function that writes content to a file of a record's name and reads it."""

    def read(name: str, content: bytes):
        path = tmp_path / samples[name].name
        path.write_bytes(content)
        return RECORDS[name].read(path)

    return read


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_what_holds_no_record_is_one_sentence(samples, damaged, name):
    whole = samples[name].read_bytes()
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    contents = [
        *(b"", b"null", b"[]", b"[1]", b"3", b"{}", b'{"version": 1}', b"\xff\xfe", b"\0" * 99),
        *(b"[" * 100_000, deep, b"9" * 10_000, b'{"version": ' + b"9" * 10_000 + b"}", whole[3:]),
    ]
    for content in contents + [whole[: len(whole) // 2]] * (name in JSON):
        with pytest.raises(UserError) as caught:
            damaged(name, content)
        sentence = str(caught.value)
        assert samples[name].name in sentence and "\n" not in sentence and len(sentence) < 2000


@pytest.mark.parametrize("name", sorted({*JSON} - {"inception"}))
def test_a_record_without_any_of_its_keys_is_refused_or_has_a_default(samples, damaged, name):
    whole = json.loads(samples[name].read_text())
    whole.pop("sha256")
    for key in whole:
        content = json.dumps({k: v for k, v in whole.items() if k != key}).encode()
        if key in RECORDS[name].schema_of()["required"]:
            with pytest.raises(UserError, match=key):
                damaged(name, content)
        else:
            assert damaged(name, content)


@pytest.mark.parametrize("name", JSON)
def test_a_flipped_bit_is_noticed_or_changes_nothing(samples, damaged, name):
    whole = samples[name].read_bytes()
    record, draw, refused = RECORDS[name].read(samples[name]), random.Random(0), 0
    for _ in range(200):
        content = bytearray(whole)
        content[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        try:
            assert damaged(name, bytes(content)) == record
        except UserError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize("name", ["epochs", "history"])
def test_a_changed_table_is_noticed_where_its_digest_is_known(samples, name):
    path, model = samples[name], RECORDS[name]
    assert model.read(path, sha256_of(path)) == model.read(path)
    with pytest.raises(UserError, match="has changed"):
        model.read(path, "ab" * 32)


def test_a_record_without_its_digest_is_read(samples, tmp_path):
    path = tmp_path / "run.json"
    path.write_bytes(samples["run"].read_bytes())
    assert RunRecord.read(change_record(path)) == RunRecord.read(samples["run"])
    assert RunRecord.read(change_record(path, seed=5)).seed == 5


def test_what_is_no_file_is_refused_at_once(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")  # reading it would wait for ever
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    (tmp_path / "large").write_bytes(b"")
    os.truncate(tmp_path / "large", 2**40)  # a hole: it takes no room
    for name in ("folder", "pipe", "link", "large", "link/run.json", "large/run.json"):
        with pytest.raises(UserError, match=name):
            RunRecord.read(tmp_path / name)


@pytest.mark.parametrize(
    "change",
    [
        *({"dataset": name} for name in OUTSIDE),
        *({"method": name} for name in OUTSIDE),
        *({"algorithm": name} for name in OUTSIDE),
        *({"dataset": "scores"}, {"dataset": "Tables"}, {"method": "test"}),
        *({"seed": 2**63}, {"seed": "0"}, {"seed": True}, {"iterations": 2**60}),
        *({"size": [2**20, 32]}, {"train_seconds": -1.0}, {"train_seconds": float("inf")}),
        *({"description": "x" * 10_000_000}, {"code_digest": "../x"}, {"snapshots": {"-1": ""}}),
        *({"options": {"a": float("nan")}}, {"options": {"a": "x" * 200_000}}),
        *({"x" * 10_000_000: 1}, {"a\nb": 1}, {"losses": {"x" * 300: {"title": ""}}}),
    ],
    ids=lambda change: str(change)[:40],
)
def test_values_out_of_bounds_are_one_sentence(tmp_path, change):
    path = change_record(write_run(tmp_path / "run", images=0, points=1) / "run.json", **change)
    with pytest.raises(UserError) as caught:
        RunRecord.read(path)
    sentence = str(caught.value)
    assert str(path) in sentence and "\n" not in sentence and len(sentence) < 1000


@pytest.mark.parametrize("name", ["../x.png", "trainA/../../x.png", "/x.png", "x.png", ""])
def test_images_outside_of_their_folder_are_refused(samples, tmp_path, name):
    path = tmp_path / "dataset.json"
    path.write_bytes(samples["dataset"].read_bytes())
    with pytest.raises(UserError, match="images"):
        RECORDS["dataset"].read(change_record(path, images={name: "ab"}))
