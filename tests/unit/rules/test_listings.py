"""API documents, and what OpenStack's client prints, as rules documents."""

import json
from pathlib import Path

import pytest

from venturi.adapters.files.rules_file import load_rules
from venturi.core.domain.errors import RulesFileError
from venturi.core.rules.document import RulesDocument

M1, M2 = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
R1, R2 = (f"{digit * 8}-3333-4333-8333-333333333333" for digit in "34")

LABEL_LIST = [{"ID": M1, "Name": "m1", "Description": "", "Shared": ""}]
TWO_LABELS = [*LABEL_LIST, {"ID": M2, "Name": "m2", "Description": "", "Shared": ""}]


def listed(identifier: str, prefix: str, **changes: object) -> dict[str, object]:
    """Make a row of ``openstack network meter rule list -f json``."""
    return {
        "ID": identifier,
        "Excluded": "",
        "Direction": "egress",
        "Remote IP Prefix": None,
        "Source IP Prefix": prefix,
        "Destination IP Prefix": None,
        **changes,
    }


def shown(identifier: str, prefix: str, label: str, *, excluded: bool) -> dict[str, object]:
    """Make what ``openstack network meter rule show ID -f json`` prints."""
    return {
        "destination_ip_prefix": None,
        "direction": "egress",
        "id": identifier,
        "is_excluded": excluded,
        "metering_label_id": label,
        "name": None,
        "project_id": None,
        "remote_ip_prefix": None,
        "source_ip_prefix": prefix,
    }


def api_label(identifier: str, name: str) -> dict[str, object]:
    """Make a label as the API answers it."""
    return {"id": identifier, "name": name, "description": "", "shared": False, "project_id": "p", "tenant_id": "p"}


def api_rule(identifier: str, label: str, prefix: str, *, excluded: bool = False) -> dict[str, object]:
    """Make a rule as the API answers it."""
    prefixes = {"remote_ip_prefix": None, "source_ip_prefix": prefix, "destination_ip_prefix": None}
    return {"id": identifier, "metering_label_id": label, "direction": "egress", "excluded": excluded, **prefixes}


def load(folder: Path, *documents: object) -> RulesDocument:
    """Load documents from files named by their numbers."""
    paths = []
    for number, document in enumerate(documents):
        path = folder / f"{number}.json"
        path.write_text(json.dumps(document, indent=1))
        paths.append(str(path))
    return load_rules(paths)


def outline(document: RulesDocument) -> list[tuple[str, list[tuple[str, bool]]]]:
    """Give the names of labels with their rules' sources and exclusion."""
    return [(entry.label.name, [(str(rule.source_ip_prefix), rule.excluded) for rule in entry.rules]) for entry in document.labels]


READ = {
    "API lists in two files": (
        [{"metering_labels": [api_label(M1, "m1")]}, {"metering_label_rules": [api_rule(R1, M1, "10.0.0.0/8", excluded=True)]}],
        [("m1", [("10.0.0.0/8", True)])],
    ),
    "API lists in one file": (
        [{"metering_label_rules": [api_rule(R1, M2, "10.0.0.0/8")], "metering_labels": [api_label(M1, "m1"), api_label(M2, "m2")]}],
        [("m1", []), ("m2", [("10.0.0.0/8", False)])],
    ),
    "a paged API list": ([{"metering_labels": [api_label(M1, "m1")], "metering_labels_links": []}], [("m1", [])]),
    "one resource of the API": ([{"metering_label": api_label(M1, "m1")}], [("m1", [])]),
    "client lists with one label": ([LABEL_LIST, [listed(R1, "10.0.0.0/8")]], [("m1", [("10.0.0.0/8", False)])]),
    "client lists of a client that tells": (
        [LABEL_LIST, [listed(R1, "10.0.0.0/8", Excluded=False), listed(R2, "10.1.0.0/16", Excluded=True)]],
        [("m1", [("10.0.0.0/8", False), ("10.1.0.0/16", True)])],
    ),
    "rules shown one by one": (
        [TWO_LABELS, shown(R1, "10.0.0.0/8", M2, excluded=False), [shown(R2, "10.1.0.0/16", M2, excluded=True)]],
        [("m1", []), ("m2", [("10.0.0.0/8", False), ("10.1.0.0/16", True)])],
    ),
    "a list completed by rules shown": (
        [
            LABEL_LIST,
            [listed(R1, "10.0.0.0/8"), listed(R2, "10.1.0.0/16")],
            shown(R1, "10.0.0.0/8", M1, excluded=False),
            shown(R2, "10.1.0.0/16", M1, excluded=True),
        ],
        [("m1", [("10.0.0.0/8", False), ("10.1.0.0/16", True)])],
    ),
    "a label listed and shown": (
        [LABEL_LIST, {"description": "", "id": M1, "name": "m1", "project_id": "p", "shared": True}],
        [("m1", [])],
    ),
}


@pytest.mark.parametrize(("documents", "expected"), READ.values(), ids=READ.keys())
def test_is_read(tmp_path: Path, documents: list[object], expected: list[object]) -> None:
    assert outline(load(tmp_path, *documents)) == expected


def test_rules_that_do_not_say_whether_they_exclude_are_noted(tmp_path: Path) -> None:
    document = load(tmp_path, LABEL_LIST, [listed(R1, "10.0.0.0/8"), listed(R2, "11.0.0.0/8", Excluded=None)])
    assert document.notes == ("2 of the rules of 'm1' do not say whether they exclude; none overlaps another, so all count.",)


REFUSED = {
    "an empty Excluded column where rules overlap": (
        [LABEL_LIST, [listed(R1, "10.0.0.0/8"), listed(R2, "10.1.0.0/16")]],
        "1.json:10: field '[1]': it shares addresses with the rule at ",
    ),
    "rules of two labels that do not say whose": (
        [TWO_LABELS, [listed(R1, "10.0.0.0/8")]],
        (
            "1.json:2: field '[0]': the listing does not tell whose rule this is, and there are 2 labels: print each rule with "
            "'openstack network meter rule show ID -f json'"
        ),
    ),
    "a list of rules alone": ([[listed(R1, "10.0.0.0/8")]], "no file lists the labels"),
    "a rule of a label that is not there": (
        [{"metering_labels": [], "metering_label_rules": [api_rule(R1, M1, "10.0.0.0/8")]}],
        f"Metering label '{M1}' does not exist in the files given.",
    ),
    "two accounts of one rule": (
        [LABEL_LIST, shown(R1, "10.0.0.0/8", M1, excluded=True), shown(R1, "10.0.0.0/8", M1, excluded=False)],
        f"a rule with the id '{R1}' and other values is already at ",
    ),
    "two labels of one id": (
        [{"metering_labels": [api_label(M1, "m1"), api_label(M1, "m2")]}],
        f"a label with the id '{M1}' and other values is already at ",
    ),
    "project and tenant that differ": (
        [{"metering_labels": [{**api_label(M1, "m1"), "tenant_id": "q"}]}],
        "0.json:3: field 'metering_labels[0]': 'project_id' and 'tenant_id' do not match",
    ),
    "an unknown column": ([[{"ID": M1, "Name": "m", "Colour": "red"}]], "0.json:5: field '[0].Colour': Unrecognized attribute(s) 'Colour'"),
}


@pytest.mark.parametrize(("documents", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_is_refused(tmp_path: Path, documents: list[object], sentence: str) -> None:
    with pytest.raises(RulesFileError) as caught:
        load(tmp_path, *documents)
    assert sentence in str(caught.value)
