"""The registry, and what a config may change in it."""

from __future__ import annotations

import pytest

from cut.base.errors import UserError
from cut.data.registry import registry, resolve


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("horse2zebr", None, "unknown data set 'horse2zebr'; did you mean 'horse2zebra'"),
        ("horse2zebra", {"direktion": "BtoA"}, "unknown key 'direktion'; did you mean 'direction'"),
        ("horse2zebra", {"direction": "BtoC"}, "direction of .* is 'BtoC'"),
        ("horse2zebra", {"counts": {"valA": 3}}, "counts.valA of .* is 'valA'"),
        ("coats2stripes", {"size": "big"}, "size of .* is 'big'"),
        ("coats2stripes", {"source": "x.zip"}, "unknown key 'source'"),
        ("mine", {"generator": "os", "source": "x"}, "unknown key 'generator'"),
        ("../mine", "x.zip", "a name starts with a letter"),
        ("mine", ["x"], "expected a source or a mapping"),
    ],
)
def test_config_mistakes_are_sentences(name: str, settings: object, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        resolve(name, settings)
    assert "\n" not in str(caught.value)


def test_every_entry_of_the_registry_is_complete() -> None:
    for name in registry():
        entry = resolve(name)
        assert entry.description and entry.licence and entry.citation and len(entry.domains) == 2
        assert entry.source is None or entry.source.startswith("https:") or entry.sha256
        assert entry.max_bytes >= 2 * (entry.archive_bytes or 0) and entry.max_bytes < 20e9
        digests = entry.expected_digests()
        if digests is not None:
            folders = [name.split("/")[0] for name in digests]
            assert {f: folders.count(f) for f in entry.counts} == entry.counts
