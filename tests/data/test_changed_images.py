"""Images that changed after a data set was prepared, or after they were exported."""

from __future__ import annotations

import pytest
from conftest import write_photos
from small_sets import COUNTS, make_set, own

from cut.base.errors import UserError
from cut.data.export import export
from cut.metrics.image_folder import exported
from cut.records.images import ExportRecord


def test_an_image_that_changed_since_the_set_was_prepared_is_named(tmp_path):
    dataset = own(make_set(tmp_path / "images"), tmp_path / "out")
    assert len(dataset.files("train", "source")) == COUNTS["trainA"]
    image = dataset.files("train", "target")[1]
    content = bytearray(image.read_bytes())
    content[-1] ^= 1  # in the last checksum of a PNG, which Pillow does not compare
    image.write_bytes(content)
    with pytest.raises(UserError, match="has changed") as caught:
        dataset.files("train", "target")
    assert str(image) in str(caught.value)
    with pytest.raises(UserError, match="has changed"):
        dataset.held_out("target", 0)


@pytest.mark.parametrize("how", ["changed", "removed", "added"])
def test_an_exported_image_that_changed_is_named(tmp_path, how):
    out = tmp_path / "test"
    export(own(make_set(tmp_path / "images"), tmp_path / "set"), out, 16)
    assert exported(out / "source").names == ["0.png", "1.png"]
    record = ExportRecord.read(out / "manifest.json")
    assert record.images["source/0.png"] == exported(out / "source").digests["0.png"]
    if how == "changed":
        (out / "source" / "0.png").write_bytes((out / "source" / "1.png").read_bytes())
    elif how == "removed":
        (out / "source" / "0.png").unlink()
    else:
        (out / "source" / "2.png").write_bytes((out / "source" / "1.png").read_bytes())
    with pytest.raises(UserError, match="export"):
        exported(out / "source")
    assert len(exported(out / "target")) == COUNTS["testB"]


def test_a_folder_that_no_export_wrote_has_no_manifest_to_follow(tmp_path):
    write_photos(tmp_path / "mine", 2)
    assert len(exported(tmp_path / "mine")) == 2
