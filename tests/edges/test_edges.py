"""Files, requests and sockets: whatever they meet, nothing but an error of venturi's leaves them."""

from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path

import pyarrow as pa
from keystoneauth1.exceptions import ClientException, EndpointNotFound
from urllib3.exceptions import ProtocolError

from tests.edges.holding import OCTETS, OS_ERRORS, hold, through
from tests.support.injection import Scenario
from tests.support.keystone import ADMIN, running_keystone
from tests.support.scripted_server import http_answer, scripted_server
from tests.support.tools import needs
from tests.unit.flow_records.reading import read, write
from venturi.adapters.client.config import ConnectionConfig
from venturi.adapters.client.connection import Connection
from venturi.adapters.files.buffers import decode_stream
from venturi.adapters.files.flow_records import FlowRecordReader
from venturi.adapters.files.opening import InputStream, open_input
from venturi.adapters.files.rules_file import check_rules, load_rules
from venturi.adapters.host_clocks import boot_id
from venturi.adapters.keystone.configuration import KeystoneConfig
from venturi.adapters.keystone.verifier import KeystoneVerifier
from venturi.adapters.plan_file import PlanFile
from venturi.adapters.server.configuration import ServerConfig
from venturi.adapters.server.refusals import Answer, Refusal
from venturi.adapters.server.server import HttpServer
from venturi.adapters.signing import StatementSigner, check_signature, make_key
from venturi.core.decode.format import COLUMNAR_FORMATS
from venturi.core.statements.document import SignedStatement


@through(InputStream, open_input, load_rules, check_rules, decode_stream)
def test_files(tmp_path: Path) -> None:
    plain, rules = tmp_path / "plain", tmp_path / "rules.yaml"
    plain.write_bytes(bytes(1 << 16))
    rules.write_text("labels: []\n", encoding="utf-8")

    def read() -> None:
        with closing(open_input(str(plain))) as stream:
            stream.readinto(bytearray(4096))
            stream.seekable_file()
            for used in decode_stream(stream, lambda octets, *, final: (final, len(octets)), length=4096):
                assert used in {True, False}

    scenario: Scenario = [read, partial(load_rules, [str(rules)]), partial(check_rules, [str(rules)])]
    files = [f"adapters/files/{name}.py" for name in ("opening", "buffers", "rules_file")]
    assert hold(scenario, [*OS_ERRORS, *OCTETS], *files) > 5


@through(StatementSigner, make_key, check_signature)
def test_keys_of_statements(tmp_path: Path) -> None:
    names = count()

    def use() -> None:
        private = tmp_path / f"key {next(names)}"
        public = make_key(private)
        signature = StatementSigner(private).sign(b"null")
        check_signature(SignedStatement(statement=None, digest="", signature=signature), public)  # type: ignore[arg-type] # any part

    assert hold([use], OS_ERRORS, "adapters/signing.py") > 5


@through(Connection)
def test_the_client() -> None:
    def ask() -> None:
        with scripted_server([http_answer("{}", 200, "Date: Thu, 01 Jan 2026 00:00:00 GMT")] * 4) as server:
            heard = list[int]()
            with Connection(ConnectionConfig(url=server.url), heard.append) as connection:
                connection.ask("GET", "/v1/labels")

    assert hold([ask], [*OS_ERRORS, ProtocolError("cut"), *OCTETS], "adapters/client") > 10


@through(FlowRecordReader)
def test_flow_records() -> None:
    flow = {
        "start": [1],
        "end": [2],
        "source_address": ["10.0.0.1"],
        "destination_address": ["192.0.2.1"],
        "packets": [7],
        "octets": [4200],
    }
    contents = {kind: write(pa.table(flow), kind) for kind in COLUMNAR_FORMATS}

    for kind, content in contents.items():
        assert len(read(content, kind).flows) == 1
    errors = [*OS_ERRORS, *OCTETS, EOFError(), pa.ArrowInvalid("no such type")]
    assert hold([partial(read, content, kind) for kind, content in contents.items()], errors, "adapters/files") > 50


@through(PlanFile, boot_id)
def test_a_plan_file_and_the_boot(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("{}", encoding="utf-8")
    files = [*OS_ERRORS, *OCTETS]
    assert hold([lambda: PlanFile(path).ask("", 0)], files, "adapters/plan_file.py") > 0
    assert hold([boot_id], files, "adapters/host_clocks.py") > 0


class SilentObserver:
    """Hears what the connection refuses, of which there is nothing here."""

    def refuse(self, refusal: Refusal, sentence: str, *, path: str, client: str) -> Answer:
        raise AssertionError((refusal, sentence, path, client))

    def drop(self, refusal: Refusal, *, client: str) -> None:
        raise AssertionError((refusal, client))


@through(HttpServer)
def test_listening() -> None:
    opened = list[HttpServer]()

    async def answer(*_: object) -> None:
        """Answer nothing: nobody asks."""

    def prepare() -> None:
        opened.clear()
        opened.append(HttpServer(ServerConfig(port=0), answer, SilentObserver(), lambda: None))

    def start() -> None:
        assert opened[0].start()
        for listening in opened[0]._sockets:
            listening.close()

    assert hold([start], [*OS_ERRORS, *OCTETS], "adapters/server", prepare=prepare) > 5


@needs("keystone-manage")
@through(KeystoneVerifier)
def test_keystone(tmp_path: Path) -> None:
    with running_keystone(tmp_path) as keystone:
        keystone.add_user("venturi", "service", "service")
        token = keystone.issue_token(ADMIN, ADMIN)
        config = KeystoneConfig(auth_url=keystone.url, username="venturi", password=keystone.password, token_cache_time=-1)

        def verify() -> None:
            assert KeystoneVerifier(config).verify(token).roles

        assert hold([verify], [*OS_ERRORS, EndpointNotFound(), ClientException(), *OCTETS], "adapters/keystone", by_turns=True) > 10
