"""What ``apply`` and ``point create`` check and say: rights, how much would change, and which labels no point counts."""

from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest

from tests.support.databases import new_database
from tests.support.server import ServerProcess, make_token, running_server
from venturi.interfaces.standard_output import write_note
from venturi.main import run

Apply = Callable[..., tuple[int, list[str], list[str]]]
FILE = "labels: [{name: web, project_id: shop, rules: [{direction: egress, source_ip_prefix: 10.1.0.0/16}]}, {name: dns, project_id: shop}]"
COUNTS = "would create 2 labels, create 1 rule"
HOMELESS = "note: labels 'web' and 'dns' count at no observation point: none that you may see is shared, and none is of project 'shop'"


CALLERS = [("admin", "shop"), ("reader", "shop"), ("manager", "office"), ("manager", "shop")]
Tokens = dict[tuple[str, str], str]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, Tokens]]:
    """A server that asks for tokens, and those of some callers, by role and project."""
    folder = tmp_path_factory.mktemp("server")
    database = new_database(folder)
    tokens = {caller: make_token(database, *caller) for caller in CALLERS}
    with running_server(folder, "--auth", "token", database=database) as running:
        yield running, tokens


@pytest.fixture
def rules_file(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture
def venturi(asked: tuple[ServerProcess, Tokens], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Apply:  # noqa: PLR0206 - no property
    """Run a command as a role of a project, and give its exit code and the lines that it printed and those on standard error."""
    server, tokens = asked
    monkeypatch.setenv("VENTURI_URL", server.url)

    def run_as(role: str, *arguments: str, project: str = "shop") -> tuple[int, list[str], list[str]]:
        monkeypatch.setenv("VENTURI_TOKEN", tokens[role, project])
        ended = run(list(arguments))
        printed = capsys.readouterr()
        return ended, printed.out.splitlines(), printed.err.splitlines()

    return run_as


POINT = ("point", "create", "uplink", "--kind", "interface", "--host", "edge-1", "--device")


def test_labels_that_no_point_counts_are_named(venturi: Apply, rules_file: Path) -> None:
    ended, printed, noted = venturi("admin", "apply", str(rules_file), "--dry-run")
    assert (ended, printed[-2:]) == (0, [COUNTS, "nothing was changed"])
    assert noted == ["note: there is no observation point that you may see, so nothing is counted: create one with venturi point create"]
    assert venturi("admin", *POINT, "eth0", "--project", "office")[::2] == (0, [])
    assert venturi("admin", "apply", str(rules_file), "--dry-run")[2] == [HOMELESS]
    assert venturi("admin", "apply", str(rules_file))[::2] == (0, [HOMELESS])
    assert venturi("admin", "apply", str(rules_file), "--dry-run")[1:] == (["nothing to do", "nothing was changed"], [HOMELESS])
    ended, _, noted = venturi("admin", *POINT, "eth1", "--project", "office")
    assert (ended, [line.replace("'dns' and 'web'", "'web' and 'dns'") for line in noted]) == (0, [HOMELESS])
    assert venturi("admin", *POINT, "eth2", "--project", "shop")[::2] == (0, [])
    assert venturi("admin", "apply", str(rules_file))[1:] == (["nothing to do"], [])


REFUSED = [
    # role, project of the caller, sentence
    ("reader", "shop"),
    ("manager", "office"),
]


@pytest.mark.parametrize(("role", "project"), REFUSED)
@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_what_is_not_allowed_is_refused_with_7(venturi: Apply, rules_file: Path, role: str, project: str, options: tuple[str, ...]) -> None:
    rules_file.write_text(FILE.replace("web", "mail").replace("project_id: shop", f"project_id: {'shop' if role == 'reader' else 'home'}"))
    ended, printed, noted = venturi(role, "apply", str(rules_file), *options, project=project)
    assert ended == 7, noted
    assert "nothing was changed" not in printed
    assert noted[-1].startswith("venturi: ")


LISTS = [
    ((), 100, "… and 4966 more labels; --all lists each"),
    (("--summary",), 0, None),
    (("--all",), 15_000, None),
]


@pytest.mark.parametrize(("options", "lines", "last"), LISTS, ids=["as it is", "summary", "all"])
def test_5000_labels_are_not_listed_unless_asked_for(
    venturi: Apply, rules_file: Path, options: tuple[str, ...], lines: int, last: str | None
) -> None:
    rules = "rules: [{direction: egress, source_ip_prefix: 10.0.0.0/8}, {direction: ingress, source_ip_prefix: 10.0.0.0/8}]"
    rules_file.write_text("labels:\n" + "".join(f"- {{name: customer {number}, {rules}}}\n" for number in range(5_000)))
    ended, printed, _ = venturi("manager", "apply", str(rules_file), "--dry-run", "--project", "shop", *options)
    assert (ended, printed[-2:]) == (0, ["would create 5000 labels, create 10000 rules", "nothing was changed"])
    listed = [line for line in printed if line.lstrip().startswith("+")]
    assert len(listed) == lines
    assert last is None or last in printed


def test_a_summary_and_all_exclude_each_other(venturi: Apply, rules_file: Path) -> None:
    assert venturi("admin", "apply", str(rules_file), "--summary", "--all")[0] == 2


class Terminal(StringIO):
    """A terminal, which is as wide as ``COLUMNS`` says."""

    def isatty(self) -> bool:
        return True


def test_a_note_fits_a_terminal_and_is_one_line_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    note = "label 'web' counts at no observation point: none that you may see is shared"
    monkeypatch.setenv("COLUMNS", "40")
    for stream, lines in ((Terminal(), 3), (StringIO(), 1)):
        monkeypatch.setattr("sys.stderr", stream)
        write_note(note)
        written = stream.getvalue().splitlines()
        assert " ".join(written) == f"note: {note}"
        assert len(written) == lines
        assert lines == 1 or max(map(len, written)) <= 40
