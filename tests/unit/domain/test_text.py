"""Characters that no name may hold, and text that a terminal, a page or a spreadsheet only shows."""

import pytest

from venturi.core.domain.errors import InvalidLabelError
from venturi.core.domain.text import escape_cell, escape_unfit, is_fit
from venturi.core.rules.checks import check_label_text

UNFIT = {
    "a terminal's escape": ("a\x1b[31m", "a\\u001b[31m"),
    "an eight-bit control": ("a\x9b", "a\\u009b"),
    "a line feed": ("a\nb", "a\\u000ab"),
    "an override of direction": ("a\u202egpj.exe", "a\\u202egpj.exe"),
    "an isolate": ("\u2067a", "\\u2067a"),
    "a mark of direction": ("a\u200f", "a\\u200f"),
    "a space without width": ("pay\u200bpal", "pay\\u200bpal"),
    "a joiner": ("a\u200db", "a\\u200db"),
    "a byte-order mark": ("\ufeffa", "\\ufeffa"),
    "a tag": ("a\U000e0041", "a\\U000e0041"),
    "a separator of lines": ("a\u2028b", "a\\u2028b"),
    "half a surrogate pair": ("a\ud83d", "a\\ud83d"),
}
FIT = ["web shop", "größe", "日本", "עברית", "a-b_c.d", "naïve 🙂", "<script>", "=1+1"]
CELLS = {
    "=cmd|'/c calc'!A1": "'=cmd|'/c calc'!A1",
    "+1": "'+1",
    "-1": "'-1",
    "@SUM(A1)": "'@SUM(A1)",
    "\t=1": "'\\u0009=1",
    "\r=1": "'\\u000d=1",
    "  =1": "'  =1",
    "＝1": "'＝1",
    "web=shop": "web=shop",
    "a\x1b": "a\\u001b",
    "": "",
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_cannot_be_seen_is_spelled_out(name: str) -> None:
    text, shown = UNFIT[name]
    assert (is_fit(text), escape_unfit(text)) == (False, shown)


@pytest.mark.parametrize("name", UNFIT)
def test_no_name_holds_what_cannot_be_seen(name: str) -> None:
    with pytest.raises(InvalidLabelError):
        check_label_text("name", UNFIT[name][0])


@pytest.mark.parametrize("text", FIT)
def test_any_script_is_fit(text: str) -> None:
    assert is_fit(text)
    assert (escape_unfit(text), check_label_text("name", text)) == (text, text)


@pytest.mark.parametrize("text", CELLS)
def test_a_spreadsheet_runs_no_cell(text: str) -> None:
    assert escape_cell(text) == CELLS[text]
