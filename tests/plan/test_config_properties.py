"""Configurations with drawn content: a plan or a sentence."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from properties import FEW, JSON, TEXTS

from cut.base.errors import UserError
from cut.plan import plan
from cut.plan.config import Config, read
from cut.plan.plan import make_plan

KEYS = sorted(Config.model_fields)
VALID = {"datasets": ["coats2stripes"], "run": ["copy"], "size": 32}


@pytest.fixture(autouse=True)
def no_rows(monkeypatch):
    """Leave out the rows, whose resolution loads torch."""
    monkeypatch.setattr(plan, "_rows", lambda config: {})


@FEW
@given(content=JSON | st.binary(max_size=80) | st.text(max_size=80))
def test_any_file_is_a_mapping_or_a_sentence(tmp_path, content):
    path = tmp_path / "config.yaml"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, str):
        path.write_bytes(content.encode(errors="surrogateescape"))
    else:
        path.write_text(yaml.safe_dump(content))
    try:
        assert isinstance(read(path), dict)
    except UserError as error:
        assert str(path) in str(error)


@FEW
@given(changes=st.dictionaries(st.sampled_from(KEYS) | TEXTS | st.integers(), JSON, min_size=1))
def test_any_values_make_a_plan_or_a_sentence(changes):
    try:
        planned = make_plan({**VALID, **changes})
    except UserError as error:
        assert len(str(error)) < 3000
    else:
        assert planned.config.datasets


def test_a_text_that_nests_without_end_is_a_sentence(tmp_path):
    (tmp_path / "config.yaml").write_text("[" * 20_000)
    with pytest.raises(UserError, match="nested|YAML"):
        read(tmp_path / "config.yaml")
