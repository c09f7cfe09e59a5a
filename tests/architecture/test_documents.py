"""The pages say what the code says, and nothing that no page should."""

import importlib
import inspect
import re
import tomllib
from collections.abc import Callable, Iterator

import pytest

from tests.architecture.text_checks import find_foreign_places, find_loose_speech, list_blocks, list_links, list_terms, read_table
from tests.support.sources import DOCS, PACKAGE, ROOT, list_files, read_documents
from venturi.adapters.files.rules_file import parse_rules
from venturi.core.domain import errors
from venturi.core.domain.drops import DropReason
from venturi.core.domain.errors import VenturiError

TextCheck = Callable[[str, str], Iterator[str]]

# A changelog tells history, and its text is not held to the present.
HISTORY = {"CHANGELOG.md", "LICENSE"}

# Its module can only be run by Alembic, within a migration.
RUN_BY_ALEMBIC = ("migrations", "env")


def _read(*path: str) -> str:
    return ROOT.joinpath(*path).read_text(encoding="utf-8")


def _texts() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for path in list_files():
        place = str(path.relative_to(ROOT))
        content = path.read_bytes()
        if place not in HISTORY and b"\0" not in content[:8192]:
            found.append((place, content.decode("utf-8", errors="replace")))
    return found


def _errors() -> list[type[VenturiError]]:
    found = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, VenturiError)]
    return sorted(found, key=lambda each: each.__name__)


def _without_codes(error: type[VenturiError]) -> list[str]:
    """List what neither the error nor the error that it is a kind of says; what any error has by default says nothing."""
    said = {attribute for each in error.__mro__ if each is error or each is not VenturiError for attribute in vars(each)}
    return [attribute for attribute in ("exit_code", "status") if attribute not in said]


@pytest.mark.parametrize("check", [find_foreign_places, find_loose_speech])
def test_files_are_clean(check: TextCheck) -> None:
    assert [sentence for place, text in _texts() for sentence in check(place, text)] == []


@pytest.mark.parametrize(
    ("check", "text"),
    [
        pytest.param(find_foreign_places, "https://py" + "pi.org/simple", id="package registry"),
        pytest.param(find_foreign_places, "deb.deb" + "ian.org", id="distribution"),
        pytest.param(find_foreign_places, "--extra-index" + "-url https://example.net", id="index option"),
        pytest.param(find_foreign_places, "see /wo" + "rk/main/src", id="working folder"),
        pytest.param(find_foreign_places, "open('/ho" + "me/ada/a.pcap')", id="home folder"),
        pytest.param(find_loose_speech, "as is" + "sue #2 says", id="tracker"),
        pytest.param(find_loose_speech, "added in this com" + "mit", id="change"),
        pytest.param(find_loose_speech, "TO" + "DO: count", id="work left"),
        pytest.param(find_loose_speech, "good enough for n" + "ow", id="stopgap"),
    ],
)
def test_a_breach_in_a_file_is_seen(check: TextCheck, text: str) -> None:
    assert len(list(check("a.md", text))) == 1


@pytest.mark.parametrize("error", _errors(), ids=lambda error: error.__name__)
def test_every_error_has_codes_and_is_documented(error: type[VenturiError]) -> None:
    rows = read_table(_read("docs", "errors.md"), "Exit codes")
    assert _without_codes(error) == []
    assert rows[error.__name__][-2:] == [str(error.exit_code), str(error.status)]


def test_an_error_without_codes_is_seen() -> None:
    class ForgetfulError(VenturiError):
        """Has no codes of its own."""

    assert _without_codes(ForgetfulError) == ["exit_code", "status"]


def test_errors_are_defined_in_one_place() -> None:
    for path in sorted(PACKAGE.rglob("[!_]*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if parts[-2:] != RUN_BY_ALEMBIC:
            importlib.import_module(".".join(parts))
    ours = {each for each in _descendants(VenturiError) if each.__module__.startswith("venturi.")}
    assert {each.__module__ for each in ours} == {errors.__name__}


def _descendants(error: type[VenturiError]) -> Iterator[type[VenturiError]]:
    for child in error.__subclasses__():
        yield child
        yield from _descendants(child)


def test_the_page_of_errors_lists_nothing_else() -> None:
    assert sorted(read_table(_read("docs", "errors.md"), "Exit codes")) == [error.__name__ for error in _errors()]


def test_the_page_of_drops_lists_every_reason() -> None:
    assert list(read_table(_read("docs", "errors.md"), "Drop reasons")) == [reason.wire_name for reason in DropReason]


@pytest.mark.parametrize("place", sorted(read_documents()))
def test_links_lead_somewhere(place: str) -> None:
    folder = ROOT.joinpath(place).parent
    assert [link for link in list_links(read_documents()[place]) if not folder.joinpath(link).exists()] == []


def test_the_glossary_is_in_order_and_says_each_term_once() -> None:
    terms = list_terms(_read("GLOSSARY.md"))
    assert terms == sorted(set(terms))


def test_the_architecture_names_every_folder() -> None:
    page = _read("ARCHITECTURE.md")
    folders = [path for top in (PACKAGE, PACKAGE / "core") for path in top.iterdir() if path.is_dir() and path.name != "__pycache__"]
    assert [folder.name for folder in folders if not re.search(rf"\b{folder.name}\b", page)] == []


def test_the_architecture_has_the_layers_that_are_enforced() -> None:
    contracts = tomllib.loads(_read("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    enforced = [layer.strip("()") for layer in contracts[0]["layers"]]
    rows = re.findall(r"^\| `(\w+)` \|", _read("ARCHITECTURE.md"), flags=re.MULTILINE)
    assert rows == enforced


def test_every_page_can_be_reached() -> None:
    listed = [line for index in DOCS.rglob("index.md") for line in index.read_text(encoding="utf-8").split()]
    names = [path.relative_to(DOCS) for path in DOCS.rglob("*.md") if "_build" not in path.parts]
    pages = {name.stem if name.stem != "index" else str(name.with_suffix("")) for name in names if str(name) != "index.md"}
    assert pages <= set(listed)


def test_rules_files_that_pages_show_are_well_formed() -> None:
    shown = [(place, block) for place, page in read_documents().items() for block in list_blocks(page, "yaml")]
    assert shown
    assert [problem for place, block in shown for problem in parse_rules(block, place).problems] == []
