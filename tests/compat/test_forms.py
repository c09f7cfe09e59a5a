"""No form that others read changes unseen: the last entry of versions.toml has the digests of the present forms."""

import re
import subprocess
from typing import Any

import msgspec
import pytest

from tests.compat import forms
from tests.compat.forms import FORMS, digest_forms
from tests.support.sources import ROOT
from tests.support.tools import in_ci
from tests.support.versions import Version, read_versions
from venturi.adapters.store.maintenance import dump_format
from venturi.core.ledger.batch import Batch
from venturi.services.control.planning.form import Plan

HOW = "a form changed: add an entry to tests/compat/versions.toml, as CONTRIBUTING.md says"


@pytest.mark.parametrize("name", FORMS)
def test_the_present_form_is_the_one_that_is_entered_last(name: str) -> None:
    assert read_versions()[-1].forms[name] == digest_forms()[name], HOW


def test_every_version_but_the_present_is_named_by_its_commit() -> None:
    *earlier, present = read_versions()
    assert all(re.fullmatch("[0-9a-f]{40}", version.commit) for version in earlier)
    assert present.commit == "" or re.fullmatch("[0-9a-f]{40}", present.commit)
    assert all(version.adds and version.forms.keys() == FORMS.keys() for version in read_versions())


@pytest.mark.parametrize("version", [each for each in read_versions() if each.commit], ids=lambda each: each.commit[:12])
def test_a_version_is_in_the_history(version: Version) -> None:
    known = subprocess.run(["git", "-C", str(ROOT), "cat-file", "-e", f"{version.commit}^{{commit}}"], capture_output=True, check=False)
    if known.returncode and not in_ci():
        pytest.skip("the history is not at hand")
    assert known.returncode == 0, known.stderr


class Batch2(Batch, kw_only=True, frozen=True):
    reason: str = ""


class Plan2(Plan, kw_only=True):
    reason: str = ""


CHANGES: dict[str, tuple[Any, str, object, str]] = {
    "a field of a batch": (forms, "Batch", Batch2, "batch"),
    "the version of a batch": (forms, "BATCH_VERSION", 2, "batch"),
    "a field of a plan": (forms, "Plan", Plan2, "plan"),
    "the layout of a spool": (forms, "LAYOUT", 2, "spool"),
    "a step of the migrations": (forms, "known_schemas", lambda: ("s9999",), "database"),
    "the version of a dump": (dump_format, "VERSION", 2, "dump"),
    "how a seal is computed": (forms, "seal", lambda *_: "another", "seal"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_a_form_is_seen(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, name, changed, form = CHANGES[change]
    before = digest_forms()
    monkeypatch.setattr(module, name, changed)
    assert {other for other, digest in digest_forms().items() if digest != before[other]} == {form}


def test_what_only_describes_a_form_is_no_part_of_it() -> None:
    described = msgspec.defstruct("Batch", [("version", int)], namespace={"__doc__": "Another sentence."})
    bare = msgspec.defstruct("Batch", [("version", int)])
    assert forms._schema(described) == forms._schema(bare)
