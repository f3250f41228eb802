"""Tables and their two texts, Markdown and LaTeX."""

from __future__ import annotations

import pytest

from cut.metrics.catalogue import METRICS
from cut.report.latex import escape, latex
from cut.report.markdown import markdown
from cut.report.table import Cell, Column, Footnotes, Table


def table(cells, groups=("", "g", "g"), aligns="lrc", caption=("First.", "Second.", "Third.")):
    """Return a table whose rows are its cells."""
    columns = [
        Column(f"c{i}", f"C{i}", lambda row, i=i: row[i], group=group, align=align)
        for i, (group, align) in enumerate(zip(groups, aligns, strict=True))
    ]
    return Table("data_set", columns, cells, list(caption))


ROWS = [
    [Cell("a|b"), Cell("1.0 ± 0.5", notes=("why",)), Cell("✓")],
    [Cell("c"), Cell(notes=("other", "why")), Cell("", notes=("third", "why"))],
]


def test_markdown_has_groups_alignment_notes_and_caption():
    assert markdown(table(ROWS)).splitlines() == [
        "**data_set.** First.",
        "",
        "| C0 | g C1 | g C2 |",
        "| --- | ---: | :---: |",
        r"| a\|b | 1.0 ± 0.5 (a) | ✓ |",
        "| c | – (a, b) | a, c |",
        "",
        "(a) why",
        "",
        "(b) other",
        "",
        "(c) third",
        "",
        "Second. Third.",
    ]


def test_latex_has_as_many_cells_as_columns():
    text = latex(table(ROWS))
    assert r"\begin{tabular}{lrc}" in text and text.isascii()
    body = text.split(r"\toprule")[1].split(r"\bottomrule")[0].splitlines()
    lines = [line.strip() for line in body if line.endswith(r"\\")]
    assert lines[0] == r"\multicolumn{1}{c}{} & \multicolumn{2}{c}{g} \\"
    assert lines[2] == r"a|b & 1.0 $\pm$ 0.5\textsuperscript{a} & $\checkmark$ \\"
    assert lines[3] == r"c & --\textsuperscript{a, b} & a, c \\"
    assert r"\cmidrule(lr){2-3}" in text


def test_latex_keeps_all_but_the_first_sentence_below():
    text = latex(table(ROWS))
    caption = next(line for line in text.splitlines() if r"\caption{" in line)
    assert caption == r"  \caption{data\_set. First.}"
    assert text.index("Second. Third.") > text.index(r"\bottomrule")
    assert r"\label{tab:data-set}" in text


def test_a_long_table_is_set_smaller():
    row = [Cell("a"), Cell("1"), Cell("2")]
    assert r"\small" in latex(table([row] * 5)) and r"\footnotesize" in latex(table([row] * 40))


def test_groups_span_neighbours_and_there_may_be_none():
    assert table(ROWS).groups == [("", 1), ("g", 2)]
    assert table(ROWS, groups=("", "", "")).groups == []
    assert r"\multicolumn" not in latex(table(ROWS, groups=("", "", "")))


def test_footnotes_share_letters_and_go_beyond_z():
    notes = Footnotes()
    letters = [notes.mark(str(i)) for i in range(28)]
    assert letters[:2] == ["a", "b"] and letters[25:] == ["z", "aa", "ab"]
    assert notes.mark("1") == "b"
    assert notes.marks(Cell(notes=("26", "3", "1"))) == ["b", "d", "aa"]


def test_escape_covers_every_special_character():
    assert escape("a&b%$#_{}~^\\") == (
        r"a\&b\%\$\#\_\{\}\textasciitilde{}\textasciicircum{}\textbackslash{}"
    )


def test_two_hyphens_and_minus_signs_are_kept():
    assert escape("give --weights or ---x") == "give -{}-weights or -{}-{}-x"
    assert escape("-0.1, +0.2 (-3) of 2020-04 – x1e-3 [-1, 1]") == (
        "$-$0.1, +0.2 ($-$3) of 2020-04 -- x1e-3 [$-$1, 1]"
    )


@pytest.mark.parametrize(
    ("value", "plain", "signed"),
    [
        (-0.04, "0.0", "+0.0"),
        (0.04, "0.0", "+0.0"),
        (-0.06, "-0.1", "-0.1"),
        (229.94, "229.9", "+229.9"),
    ],
)
def test_a_value_that_rounds_to_zero_has_no_minus(value, plain, signed):
    assert (METRICS["fid"].show(value), METRICS["fid"].show_signed(value)) == (plain, signed)
