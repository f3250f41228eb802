"""docs/methods.md is what the code says of its methods."""

from __future__ import annotations

import inspect
import re

import pytest
from command import run_command
from conftest import ROOT

from cut.base.errors import UserError
from cut.methods import methods_page
from cut.methods.methods_page import LABELS, code_lines, markdown_of, published

PUBLISHED = published()
TRAINED = [name for name, method in PUBLISHED.items() if method.trained]
# Those with several possible translations; SinCUT's noise is one field.
SCORED = {name for name in TRAINED if PUBLISHED[name].scored(PUBLISHED[name].Options())} | {
    "sincut"
}
MINE = '''
from cut.methods.contract import Method

class Mine(Method):
    """Mirror."""

    name = "mine"
    summary = "mirrors"
    {citation}

    def __init__(self, options, seed=0):
        super().__init__(options, seed)
'''


@pytest.fixture(scope="module")
def printed():
    return methods_page.page()


def test_the_page_ends_with_what_the_command_prints(printed, monkeypatch, capsys):
    page = (ROOT / "docs" / "methods.md").read_text()
    start = "## All methods"
    assert page.count(start) == 1
    assert page[page.index(start) :] == printed
    monkeypatch.setattr(methods_page, "page", lambda: printed)
    assert run_command("methods", ["--markdown"]) == 0
    assert capsys.readouterr().out == printed


def test_the_command_writes_its_part_of_a_page(printed, monkeypatch, tmp_path):
    monkeypatch.setattr(methods_page, "page", lambda: printed)
    path = tmp_path / "page.md"
    path.write_text("# Mine\n\n## All methods\n\nold\n")
    assert run_command("methods", ["--write", str(path)]) == 0
    assert path.read_text() == f"# Mine\n\n{printed}"
    path.write_text("# Mine\n")
    with pytest.raises(UserError, match="All methods"):
        run_command("methods", ["--write", str(path)])
    assert path.read_text() == "# Mine\n"


def test_the_scored_translation_is_named(printed):
    assert len(SCORED) == 5
    assert printed.count("\n| scored | ") == len(SCORED) - 1
    assert "| scored | step 5 of 5" in printed.split("## unsb\n")[1]


def test_every_published_method_has_a_section_and_a_row(printed):
    assert set(re.findall(r"^## ([\w-]+)$", printed, flags=re.M)) == set(PUBLISHED)
    assert set(re.findall(r"^\| \[`([\w-]+)`\]\(#\1\) \|", printed, flags=re.M)) == set(PUBLISHED)


def test_the_readme_lists_every_published_method():
    section = (ROOT / "README.md").read_text().split("## The methods\n")[1].split("\n## ")[0]
    rows = "".join(re.findall(r"^\|.*\|$", section, flags=re.M))
    assert set(re.findall(r"`([\w-]+)`", rows)) == set(PUBLISHED)


@pytest.mark.parametrize("name", TRAINED)
def test_a_docstring_has_idea_formula_and_labels_in_order(name):
    idea, *paragraphs = inspect.cleandoc(PUBLISHED[name].__doc__).split("\n\n")
    assert "\n" not in idea
    formulas = [i for i, text in enumerate(paragraphs) if text.startswith("    ")]
    labels = {t.partition(":")[0]: i for i, t in enumerate(paragraphs) if re.match(r"\w+: \w", t)}
    expected = [label for label in LABELS if label != "Scored" or name in SCORED]
    assert list(labels) == expected
    assert formulas and max(formulas) < labels["Followed"]


def test_parameters_are_those_of_the_authors_networks():
    # The sizes that CUT's release prints, and those of UNSB's, SANTA's and SimDCL's layers.
    counts = {name: methods_page.parameters(PUBLISHED[name]) for name in ("cut", "unsb", "simdcl")}
    assert counts["cut"] == {"G": 11_378_179, "D": 2_764_737, "F": 560_384}
    assert counts["unsb"] == {"G": 14_684_419, "D": 3_143_041, "F": 560_384, "E": 3_152_257}
    assert counts["simdcl"]["F1"] == 493_568 and counts["simdcl"]["F6"] == 10_688


def test_errors_are_the_largest_of_each_recording(tmp_path, monkeypatch):
    file = tmp_path / "parity.md"
    file.write_text(
        "| method | recording | outputs | losses | gradients | weights |\n"
        "| `a` | one.npz | – | 2e-15 | 3e-12 | 1e-13 |\n"
        "| `a` | two.npz | 0e+00 | 5e-16 | – | 4e-16 |\n"
    )
    monkeypatch.setattr(methods_page, "PARITY", file)
    assert methods_page.recorded_errors() == {"a": {"one.npz": 3e-12, "two.npz": 5e-16}}
    file.write_text("nothing\n")
    with pytest.raises(UserError, match="parity --table"):
        methods_page.recorded_errors()
    file.unlink()
    with pytest.raises(UserError, match="missing"):
        methods_page.recorded_errors()


def test_lines_of_code_leave_out_comments_docstrings_and_empty_lines(tmp_path):
    file = tmp_path / "some.py"
    file.write_text(
        '"""One.\n\nTwo.\n"""\n\n# no\nx = 1  # yes\ny = """\na\n"""\n\nz = [\n\n    1,\n]\n'
    )
    assert code_lines(file) == 1 + 3 + 3


def test_labels_are_bold_and_formulas_stay():
    text = "Idea.\n\n    a = b\n\nFollowed: the release.\n\nSet: nothing."
    assert markdown_of(text) == "Idea.\n\n    a = b\n\n**Followed.** The release.\n\nSet: nothing."


@pytest.mark.parametrize(("citation", "listed"), [('citation = "I, 2026"', True), ("", False)])
def test_a_method_of_ones_own_is_listed_if_it_is_published(plugins, citation, listed):
    plugins(**{"mine.py": MINE.format(citation=citation)})
    assert ("mine" in published()) == listed
