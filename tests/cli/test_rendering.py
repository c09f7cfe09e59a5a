"""Resources in every form, as whole outputs."""

import io
import json

import pytest

from venturi.core.domain.errors import InvalidRequestError
from venturi.interfaces.render.resources.output import write_list, write_one
from venturi.interfaces.render.resources.selection import Row, choose_columns, sort_rows
from venturi.interfaces.render.resources.table import write_table
from venturi.interfaces.render.resources.view import View

SHOWN = ("id", "name", "shared", "interfaces", "host")
ROWS: list[Row] = [
    {"id": "b1", "name": "web shop", "shared": True, "interfaces": [3, 7], "host": None, "tenant_id": "p"},
    {"id": "a2", "name": 'größe, "x"\n', "shared": False, "interfaces": [], "host": "edge-1", "tenant_id": "p"},
]

LISTS = {
    "table": """\
id  name              shared  interfaces  host
──  ────────────────  ──────  ──────────  ──────
b1  web shop          true    3, 7
a2  größe, "x"\\u000a  false               edge-1
""",
    "csv": """\
id,name,shared,interfaces,host
b1,web shop,true,"[3, 7]",
a2,"größe, ""x""\\u000a",false,[],edge-1
""",
    "value": """\
b1	web shop	True	[3, 7]	None
a2	größe, "x"\\u000a	False	[]	edge-1
""",
    "yaml": """\
- id: b1
  name: web shop
  shared: true
  interfaces:
  - 3
  - 7
  host: null
- id: a2
  name: 'größe, "x"

    '
  shared: false
  interfaces: []
  host: edge-1
""",
    "json": """\
[
  {
    "id": "b1",
    "name": "web shop",
    "shared": true,
    "interfaces": [
      3,
      7
    ],
    "host": null
  },
  {
    "id": "a2",
    "name": "gr\\u00f6\\u00dfe, \\"x\\"\\n",
    "shared": false,
    "interfaces": [],
    "host": "edge-1"
  }
]
""",
}

SINGLES = {
    "table": """\
field       value
──────────  ────────
id          b1
name        web shop
shared      true
interfaces  3, 7
host
""",
    "csv": 'id,name,shared,interfaces,host\nb1,web shop,true,"[3, 7]",\n',
    "value": "b1\nweb shop\nTrue\n[3, 7]\nNone\n",
    "yaml": "id: b1\nname: web shop\nshared: true\ninterfaces:\n- 3\n- 7\nhost: null\n",
    "json": json.dumps({name: ROWS[0][name] for name in SHOWN}, indent=2) + "\n",
}


@pytest.mark.parametrize("form", sorted(LISTS))
def test_a_list_is_written_whole(form: str) -> None:
    stream = io.StringIO()
    write_list(ROWS, SHOWN, View(form=form), stream)
    assert stream.getvalue() == LISTS[form]


@pytest.mark.parametrize("form", sorted(SINGLES))
def test_a_single_resource_is_written_whole(form: str) -> None:
    stream = io.StringIO()
    write_one(ROWS[0], SHOWN, View(form=form), stream)
    assert stream.getvalue() == SINGLES[form]


@pytest.mark.parametrize(
    ("form", "expected"),
    [("table", "id  name\n──  ────\n"), ("csv", "id,name\n"), ("value", ""), ("json", "[]\n"), ("yaml", "[]\n")],
)
def test_a_list_of_none_is_well_formed(form: str, expected: str) -> None:
    stream = io.StringIO()
    write_list([], ("id", "name"), View(form=form), stream)
    assert stream.getvalue() == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param((), ("id", "name"), id="none asked for"),
        pytest.param(("name",), ("name",), id="one"),
        pytest.param(("project_id", "id"), ("project_id", "id"), id="in the order asked for"),
        pytest.param(("Project ID", "NAME"), ("project_id", "name"), id="as the OpenStack client writes them"),
    ],
)
def test_columns_are_chosen(asked: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert choose_columns(asked, ("id", "name", "project_id"), ("id", "name")) == expected


def test_a_column_that_there_is_not_is_named_beside_those_that_there_are() -> None:
    with pytest.raises(InvalidRequestError, match=r"^there is no column 'Colour': there are id, name$"):
        choose_columns(("id", "Colour"), ("id", "name"), ())


@pytest.mark.parametrize(
    ("columns", "order"),
    [
        pytest.param((), "abcd", id="as they come"),
        pytest.param(("number",), "bdac", id="numbers by value and what is absent last"),
        pytest.param(("name",), "cabd", id="texts"),
        pytest.param(("shared", "number"), "dcba", id="by two columns"),
    ],
)
def test_rows_are_sorted(columns: tuple[str, ...], order: str) -> None:
    rows: list[Row] = [
        {"id": "a", "number": 10, "name": "b", "shared": True},
        {"id": "b", "number": 2, "name": "c", "shared": True},
        {"id": "c", "number": None, "name": "a", "shared": False},
        {"id": "d", "number": 9, "name": "c", "shared": False},
    ]
    assert "".join(str(row["id"]) for row in sort_rows(rows, columns)) == order


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _on_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    stream = _Terminal()
    identifier = "5f3a4b0e-3f6c-4d0b-9a52-6c1d1a1f7c11"
    write_table(("id", "name", "description"), [([identifier], ["漢字漢字漢字"], ["everything that the shop sends"])], stream, unbroken=36)
    return stream.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()


def test_a_wide_terminal_has_every_row_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _on_terminal(100, monkeypatch)[2:] == ["5f3a4b0e-3f6c-4d0b-9a52-6c1d1a1f7c11  漢字漢字漢字  everything that the shop sends"]


def test_a_narrow_terminal_has_long_cells_folded_and_ids_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _on_terminal(70, monkeypatch) == [
        "id                                    name          description",
        "────────────────────────────────────  ────────────  ──────────────────",
        "5f3a4b0e-3f6c-4d0b-9a52-6c1d1a1f7c11  漢字漢字漢字  everything that",
        "                                                    the shop sends",
    ]


def test_a_terminal_that_is_too_narrow_is_exceeded_no_more_than_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = _on_terminal(20, monkeypatch)
    assert len(lines[1]) == 36 + 2 + 8 + 2 + 11
    assert all(line == line.rstrip() for line in lines)


def test_a_cell_cannot_give_orders_to_the_terminal() -> None:
    stream = io.StringIO()
    write_list([{"name": "\x1b[2J\x9b"}], ("name",), View(), stream)
    assert stream.getvalue().splitlines()[2] == "\\u001b[2J\\u009b"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(False, "name,count\n'=1+1,-7\n'-a\\u001b,\n", id="for people"),
        pytest.param(True, "name,count\n=1+1,-7\n-a\x1b,\n", id="raw"),
    ],
)
def test_a_spreadsheet_runs_no_cell_of_csv_unless_asked(raw: bool, expected: str) -> None:
    stream = io.StringIO()
    write_list([{"name": "=1+1", "count": -7}, {"name": "-a\x1b"}], ("name", "count"), View(form="csv", raw=raw), stream)
    assert stream.getvalue() == expected


def test_objects_in_a_cell_have_a_line_each() -> None:
    stream = io.StringIO()
    write_one({"changes": [{"kind": "created", "id": "a"}, {"kind": "deleted", "id": None}]}, ("changes",), View(), stream)
    assert stream.getvalue().splitlines()[2:] == ["changes  kind: created, id: a", "         kind: deleted"]
