"""The status of an agent tells whether it runs, whoever has the number of its process by now."""

import os
from pathlib import Path

import msgspec
import pytest

from tests.unit.agent.test_documents import STATUS
from venturi.adapters.host_clocks import tell_process
from venturi.interfaces.agent.status import show_status
from venturi.interfaces.render.resources.view import View
from venturi.services.agent.status import encode_status, status_file

OWN = os.getpid()


@pytest.mark.parametrize(
    ("changed", "running"),
    [
        pytest.param({"process": OWN, "told_by": tell_process(OWN)}, True, id="it runs"),
        pytest.param({"process": OWN, "told_by": tell_process(OWN), "running": False}, False, id="it was told to stop"),
        pytest.param({"process": OWN, "told_by": tell_process(1)}, False, id="another process has its number"),
        pytest.param({"process": 1 << 30, "told_by": tell_process(1)}, False, id="no process has its number"),
    ],
)
def test_whether_it_runs(changed: dict[str, object], running: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spool = tmp_path / "spool.db"
    status_file(spool).write_bytes(encode_status(msgspec.structs.replace(STATUS, **changed)))
    assert show_status(spool, View(form="json")) == (0 if running else 1)
    assert msgspec.json.decode(capsys.readouterr().out)["running"] is running
