"""The sources hold the house rules, and each check sees a breach when there is one."""

from collections.abc import Callable, Iterable, Iterator

import pytest

from tests.architecture import code_checks
from tests.architecture.text_checks import list_avoided
from tests.support.sources import ROOT, Module, list_modules

Check = Callable[[Iterable[Module]], Iterator[str]]


def find_avoided_terms(modules: Iterable[Module]) -> Iterator[str]:
    """Hold names to the glossary."""
    return code_checks.find_avoided_terms(modules, list_avoided((ROOT / "GLOSSARY.md").read_text(encoding="utf-8")))


EVERYWHERE = ("src", "tests", "bench", "scripts", "docs")
HELD: list[tuple[Check, tuple[str, ...]]] = [
    (code_checks.find_vague_parameters, EVERYWHERE),
    (code_checks.find_vague_modules, ("src",)),
    (code_checks.find_long_code, EVERYWHERE),
    (code_checks.find_missing_docstrings, EVERYWHERE),
    (code_checks.find_repeated_docstrings, ("src", "bench")),
    (code_checks.find_foreign_imports, ("src/venturi/core",)),
    (code_checks.find_impure_calls, ("src/venturi/core",)),
    (code_checks.find_environment_reads, ("src",)),
    (find_avoided_terms, ("src",)),
    (code_checks.find_loose_patterns, ("src",)),
    (code_checks.find_live_schema, ("src/venturi/adapters/store/migrations/versions",)),
]
LONG_BODY = "".join(f"    first = {number}\n" for number in range(code_checks.FUNCTION_LINES))
BREACHES: list[tuple[Check, str, str]] = [
    (code_checks.find_vague_parameters, "a.py", "def meter(data): ..."),
    (code_checks.find_vague_parameters, "a.py", "def meter(*, _tmp): ..."),
    (code_checks.find_vague_parameters, "a.py", "class Meter:\n    def add(self, *items): ..."),
    (code_checks.find_vague_modules, "src/venturi/core/utils.py", ""),
    (code_checks.find_long_code, "a.py", "\n" * (code_checks.MODULE_LINES + 1)),
    (code_checks.find_long_code, "a.py", "def meter():\n" + LONG_BODY),
    (code_checks.find_missing_docstrings, "a.py", "first = 1\n"),
    (code_checks.find_repeated_docstrings, "a.py", 'def meter():\n    """Sum."""\ndef add():\n    """Sum."""\n'),
    (code_checks.find_foreign_imports, "a.py", "import socket"),
    (code_checks.find_foreign_imports, "a.py", "def read():\n    from os.path import join"),
    (code_checks.find_foreign_imports, "a.py", "import yaml"),
    (code_checks.find_impure_calls, "a.py", "open('a')"),
    (code_checks.find_impure_calls, "a.py", "datetime.datetime.now(datetime.UTC)"),
    (code_checks.find_environment_reads, "a.py", "import os\nos.environ['HOME']"),
    (find_avoided_terms, "a.py", "def meter(byte_count): ..."),
    (find_avoided_terms, "a.py", "class Flow:\n    src: int"),
    (code_checks.find_loose_patterns, "a.py", "PATTERN = r'^[0-9a-f]{32}$'"),
    (code_checks.find_loose_patterns, "a.py", "PATTERN = rf'^{PART}$'"),
    (code_checks.find_live_schema, "a.py", "from venturi.adapters.store.schema.columns import text_column"),
]


def _name(case: tuple[object, ...]) -> str:
    return getattr(case[0], "__name__", "").removeprefix("find_")


@pytest.mark.parametrize(("check", "folders"), HELD, ids=map(_name, HELD))
def test_the_sources_hold(check: Check, folders: tuple[str, ...]) -> None:
    modules = [module for folder in folders for module in list_modules(folder)]
    assert modules
    assert list(check(modules)) == []


@pytest.mark.parametrize(("check", "place", "text"), BREACHES, ids=map(_name, BREACHES))
def test_a_breach_is_seen(check: Check, place: str, text: str) -> None:
    assert len(list(check([Module(place, text)]))) == 1


def test_folders_are_kept_small() -> None:
    places = [module.place for folder in EVERYWHERE for module in list_modules(folder)]
    assert list(code_checks.find_full_folders(places)) == []


def test_a_full_folder_is_seen() -> None:
    places = [f"src/part_{number}.py" for number in range(code_checks.FOLDER_FILES + 1)]
    assert list(code_checks.find_full_folders(places)) == [f"src: {code_checks.FOLDER_FILES + 1} files, over {code_checks.FOLDER_FILES}"]


def test_every_check_is_shown_a_breach() -> None:
    assert {check for check, _ in HELD} == {check for check, _, _ in BREACHES}
