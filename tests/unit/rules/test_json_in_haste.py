"""Reading JSON in haste gives what careful reading gives, but for the lines; what it cannot tell it leaves."""

import pytest

from venturi.adapters.files.rules_file import parse_rules
from venturi.adapters.files.rules_file_json import MAXIMUM_DEPTH, parse_json, parse_json_in_haste
from venturi.core.domain.errors import RulesFileError
from venturi.core.rules.located import Located

_ALIKE = {
    "scalars": '[null, true, false, "text", 0, -7, 1.5, -2e3, 1E400]',
    "the longest integer and a longer one": "[123456789012345678, 1234567890123456789, -12345678901234567, -123456789012345678]",
    "escapes": '{"\\u0061": "\\ud83d\\ude00 \\ud800 \\n \\/"}',
    "nothing in lists and objects": ' {"a": [], "b": {}, "": [[], [{}]]}\r\n\t',
    "as deep as may be": "[" * MAXIMUM_DEPTH + "]" * MAXIMUM_DEPTH,
}
_REFUSED = {
    "a key twice": '{"a": 1, "a": 1}',
    "no number": "[NaN]",
    "endless": "[-Infinity]",
    "a control character": '["\t"]',
    "more behind": "{} {}",
    "unfinished": '{"a": [',
    "too deep": "[" * (MAXIMUM_DEPTH + 1) + "]" * (MAXIMUM_DEPTH + 1),
    "hugely nested": "[" * 100_000,
    "a leading zero": "[01]",
    "a trailing comma": "[1,]",
}


def _unlocated(node: Located) -> object:
    if isinstance(node.value, dict):
        return {key: _unlocated(member) for key, member in node.value.items()}
    if isinstance(node.value, list):
        return [_unlocated(element) for element in node.value]
    return repr(node.value)


@pytest.mark.parametrize("text", _ALIKE.values(), ids=_ALIKE.keys())
def test_the_same_values(text: str) -> None:
    read = parse_json_in_haste(text)
    assert read is not None
    assert _unlocated(read) == _unlocated(parse_json(text, "R"))


@pytest.mark.parametrize("text", _REFUSED.values(), ids=_REFUSED.keys())
def test_left_to_careful_reading(text: str) -> None:
    assert parse_json_in_haste(text) is None
    with pytest.raises(RulesFileError, match=r"^R:1: "):
        parse_json(text, "R")


def test_a_problem_has_its_line_all_the_same() -> None:
    """Values read in haste have no line; a problem among them makes the text be read again."""
    reading = parse_rules('{"labels": [\n{"name": "a"},\n{"name": 5}]}', "R")
    assert [problem.place.line for problem in reading.problems] == [3]
