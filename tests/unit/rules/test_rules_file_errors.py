"""What a rules file may not say, and the one sentence that names file, line and field."""

import pytest

from venturi.adapters.files.rules_file import parse_rules
from venturi.core.domain.errors import RulesFileError

LABEL = "labels:\n- name: web\n  rules:\n"
RULE = LABEL + "  - direction: egress\n"


def first_problem(text: str) -> str:
    """Give the sentence that reading ``text`` as file R ends with."""
    try:
        parse_rules(text, "R").require()
    except RulesFileError as error:
        return str(error)
    pytest.fail("the rules file was accepted")


PROBLEMS = {
    "prefix that is none": (
        RULE + "    source_ip_prefix: 10.0.0.0/33",
        (
            "R:5: field 'labels[0].rules[0].source_ip_prefix': source_ip_prefix: 10.0.0.0/33 is invalid "
            "['10.0.0.0/33' does not appear to be an IPv4 or IPv6 interface]."
        ),
    ),
    "prefix that is a number": (
        RULE + "    source_ip_prefix: 10",
        (
            "R:5: field 'labels[0].rules[0].source_ip_prefix': source_ip_prefix: 10 is invalid "
            "['10' does not appear to be an IPv4 or IPv6 interface]."
        ),
    ),
    "no prefix": (
        RULE,
        (
            "R:4: field 'labels[0].rules[0]': You must define at least one of the following parameters 'remote_ip_prefix', "
            "or 'source_ip_prefix' or 'destination_ip_prefix'."
        ),
    ),
    "remote beside source": (
        RULE + "    remote_ip_prefix: 10.0.0.0/8\n    source_ip_prefix: 10.0.0.0/8",
        "R:4: field 'labels[0].rules[0]': Cannot use 'remote-ip-prefix' in conjunction with 'source-ip-prefix' or 'destination-ip-prefix'.",
    ),
    "two families": (
        RULE + "    source_ip_prefix: 10.0.0.0/8\n    destination_ip_prefix: 2001:db8::/32",
        (
            "R:4: field 'labels[0].rules[0]': Cannot use source_ip_prefix '10.0.0.0/8' and destination_ip_prefix '2001:db8::/32' "
            "of two IP versions in one rule."
        ),
    ),
    "direction missing": (
        LABEL + "  - source_ip_prefix: 10.0.0.0/8",
        "R:4: field 'labels[0].rules[0].direction': Required attribute 'direction' not specified",
    ),
    "direction both": (
        LABEL + "  - direction: both\n    source_ip_prefix: 10.0.0.0/8",
        "R:4: field 'labels[0].rules[0].direction': Invalid input for direction. Reason: both is not in valid_values.",
    ),
    "excluded maybe": (
        RULE + "    source_ip_prefix: 10.0.0.0/8\n    excluded: maybe",
        "R:6: field 'labels[0].rules[0].excluded': Invalid input for operation: 'maybe' cannot be converted to boolean.",
    ),
    "unknown attribute of a rule": (
        RULE + "    source_ip_prefix: 10.0.0.0/8\n    port: 80",
        "R:6: field 'labels[0].rules[0].port': Unrecognized attribute(s) 'port'",
    ),
    "unknown attribute of a label": (
        "labels: [{name: a, colour: red}]",
        "R:1: field 'labels[0].colour': Unrecognized attribute(s) 'colour'",
    ),
    "unknown attribute of the file": ("labels: []\nversion: 1", "R:2: field 'version': Unrecognized attribute(s) 'version'"),
    "name missing": ("labels: [{}]", "R:1: field 'labels[0].name': Required attribute 'name' not specified"),
    "name a number": ("labels: [{name: 5}]", "R:1: field 'labels[0].name': Invalid input for name. Reason: '5' is not a valid string."),
    "name with outer blanks": (
        "labels: [{name: ' a'}]",
        "R:1: field 'labels[0].name': Invalid input for name. Reason: ' a' is not a valid string.",
    ),
    "name with a control character": (
        'labels: [{name: "a\\tb"}]',
        "R:1: field 'labels[0].name': Invalid input for name. Reason: 'a\\u0009b' is not a valid string.",
    ),
    "name too long": (
        f"labels: [{{name: {'x' * 256}}}]",
        f"R:1: field 'labels[0].name': Invalid input for name. Reason: '{'x' * 256}' exceeds maximum length of 255.",
    ),
    "id no UUID": ("labels: [{name: a, id: nope}]", "R:1: field 'labels[0].id': Invalid input for id. Reason: 'nope' is not a valid UUID."),
    "shared null": (
        "labels: [{name: a, shared: null}]",
        "R:1: field 'labels[0].shared': Invalid input for operation: 'None' cannot be converted to boolean.",
    ),
    "label a text": ("labels: [web]", "R:1: field 'labels[0]': a mapping is expected, not a text"),
    "labels a mapping": ("labels: {name: web}", "R:1: field 'labels': a list is expected, not a mapping"),
    "rules left empty": ("labels: [{name: web, rules: }]", "R:1: field 'labels[0].rules': a list is expected, not nothing"),
    "labels missing": ("inside: [10.0.0.0/8]", "R:1: field 'labels': Required attribute 'labels' not specified"),
    "inside no prefix": (
        "inside: [home]\nlabels: []",
        "R:1: field 'inside[0]': inside: home is invalid ['home' does not appear to be an IPv4 or IPv6 interface].",
    ),
    "a bare text": ("hello", "R:1: a mapping is expected, not a text"),
    "the empty file": ("", "R:1: the file is empty"),
    "blanks only": (" \n\n", "R:1: the file is empty"),
    "comments only": ("# nothing\n", "R:1: a mapping is expected, not nothing"),
    "same name twice": ("labels:\n- name: a\n- name: b\n- name: a", "R:4: field 'labels[2]': a label named 'a' is already at R:2"),
    "same rule twice": (
        RULE + "    source_ip_prefix: 10.0.0.0/8\n  - direction: egress\n    source_ip_prefix: 10.0.0.0/8",
        "R:6: field 'labels[0].rules[1]': the same rule is already at R:4",
    ),
    "overlapping remote prefixes": (
        RULE + "    remote_ip_prefix: 10.0.0.0/8\n  - direction: egress\n    remote_ip_prefix: 10.1.0.5/16",
        "R:6: field 'labels[0].rules[1]': Metering label rule with remote_ip_prefix '10.1.0.5/16' overlaps another. The other is at R:4.",
    ),
    "key twice": ("labels: []\nlabels: []", "R:2: field 'labels': the key is already at line 1"),
    "key twice in JSON": ('{"labels": [],\n"labels": []}', "R:2: field 'labels': the key is already at line 1"),
    "alias": ("labels: &a []\ninside: *a", "R:2: the alias '*a' is not read here; write the value out"),
    "second document": ("labels: []\n---\nlabels: []", "R:2: a second YAML document begins; a rules file has one"),
    "tag": ("labels: !!python/object:os.system []", "R:1: the tag 'tag:yaml.org,2002:python/object:os.system' has no meaning here"),
    "unfinished YAML": ("labels:\n- {name: a", "R:2: not valid YAML: did not find expected ',' or '}'"),
    "unfinished JSON": ('{"labels": [', "R:1: not valid JSON: a value is expected"),
    "hugely nested YAML": ("labels: " + "[" * 100_000, "R:1: lists and mappings are nested more than 16 deep"),
    "hugely nested JSON": ('{"labels":' + "[" * 100_000, "R:1: lists and objects are nested more than 16 deep"),
    "lone surrogate in JSON": (
        '{"labels": [{"name": "\\ud800"}]}',
        "R:1: field 'labels[0].name': Invalid input for name. Reason: '\\ud800' is not a valid string.",
    ),
}


@pytest.mark.parametrize(("text", "sentence"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_a_problem_is_told_in_one_sentence(text: str, sentence: str) -> None:
    assert first_problem(text) == sentence


def test_all_problems_are_told_up_to_twenty() -> None:
    reading = parse_rules("labels:\n" + "- {name: 5}\n" * 33, "R")
    assert (len(reading.problems), reading.problem_count) == (20, 33)
    assert [problem.place.line for problem in reading.problems] == list(range(2, 22))
    with pytest.raises(RulesFileError, match=r"^R:2: .* \(and 32 more\)$"):
        reading.require()
