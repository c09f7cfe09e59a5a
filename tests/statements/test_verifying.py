"""Whoever has a statement and a public key can check it alone; whatever digit of it changed, the check fails."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.statements.stating import StatementsOfTests, sample, write_key
from tests.support.control_values import OPERATOR
from venturi.adapters.signing import StatementSigner, check_signature, make_key
from venturi.adapters.store.store import Store
from venturi.core.domain.errors import InvalidStatementError, UnknownFormatError, UnreadableFileError, VenturiError
from venturi.core.statements.document import SignedStatement, StatementDocument, digest_of, read_signed, to_octets
from venturi.core.statements.verifying import check_statement


@pytest.fixture
def stating(sqlite_store: Store, tmp_path: Path) -> StatementsOfTests:  # noqa: PLR0206 - no property
    private, _ = write_key(tmp_path)
    return StatementsOfTests(sqlite_store, signer=StatementSigner(private))


@pytest.fixture
def exported(stating: StatementsOfTests) -> bytes:
    """A signed statement with a gap that was accepted, and with an adjustment."""
    contract = stating.contract()
    stating.meter(0, [37_500 * each for each in range(1, 12)])
    stating.close(contract, "2026-01", "gap:uplink:2026-01-31T23:55:00Z")
    stating.meter(12, [375_000] * 12)
    stating.correct(1, 8, 1 << 20)
    stating.ledger.post(stating.new_spool("agent-2").seal(sample(11, 999_999)))
    return stating.shown.export(OPERATOR, stating.close(contract, "2026-02").number)


def verify(octets: bytes, key: Path) -> None:
    signed = read_signed(octets)
    check_statement(signed)
    check_signature(signed, key)


def test_any_changed_digit_is_found(exported: bytes, tmp_path: Path) -> None:
    key = tmp_path / "key.pub"
    verify(exported, key)
    digits = [found.start() for found in re.finditer(rb"[0-9]", exported)]
    assert len(digits) > 500
    for place in digits:
        digit = int(exported[place : place + 1])
        changed = exported[:place] + str((digit + 1) % 10).encode() + exported[place + 1 :]
        with pytest.raises(VenturiError):
            verify(changed, key)


def test_arithmetic_is_held_to_the_samples_even_if_the_digest_is_made_anew(exported: bytes) -> None:
    """Whoever signs again what was changed is found by the arithmetic, wherever a figure follows from others."""
    document = read_signed(exported).statement
    assert document.measurement is not None
    assert document.adjustments
    changes: dict[str, Callable[[Any], StatementDocument]] = {
        "total": lambda each: msgspec.structs.replace(each, total="0.01"),
        "measurement.figure": lambda each: _measured(each, figure="2.001"),
        "measurement.known": lambda each: _measured(each, known="11"),
        "measurement.octets": lambda each: _measured(each, octets=msgspec.structs.replace(each.measurement.octets, ingress="1")),
        "measurement.deciding": lambda each: _measured(each, deciding=msgspec.structs.replace(each.measurement.deciding, position="8")),
        "measurement.lines": lambda each: _measured(each, lines=each.measurement.lines[:1]),
        "measurement: samples": lambda each: _sampled(each, ingress=each.measurement.samples.ingress[1:]),
        "adjustments[1].difference": lambda each: _adjusted(each, difference="1.00"),
        "adjustments[1].measurement.total": lambda each: _adjusted(
            each, measurement=msgspec.structs.replace(each.adjustments[0].measurement, total="1.00")
        ),
    }
    check_statement(_sign(document))
    for place, change in changes.items():
        with pytest.raises(InvalidStatementError, match=re.escape(place.replace("adjustments[1].measurement", "adjustments[1]"))):
            check_statement(_sign(change(document)))


def _sign(document: StatementDocument) -> SignedStatement:
    return SignedStatement(statement=document, digest=digest_of(to_octets(document)), signature=None)


def _measured(document: StatementDocument, **changed: object) -> StatementDocument:
    assert document.measurement is not None
    return msgspec.structs.replace(document, measurement=msgspec.structs.replace(document.measurement, **changed))


def _sampled(document: StatementDocument, **changed: object) -> StatementDocument:
    assert document.measurement is not None
    return _measured(document, samples=msgspec.structs.replace(document.measurement.samples, **changed))


def _adjusted(document: StatementDocument, **changed: object) -> StatementDocument:
    return msgspec.structs.replace(document, adjustments=[msgspec.structs.replace(document.adjustments[0], **changed)])


def test_another_key_and_no_signature_are_refused(exported: bytes, stating: StatementsOfTests, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other")
    with pytest.raises(InvalidStatementError, match="it is by the key"):
        verify(exported, other)
    stating.signer = None
    unsigned = stating.shown.export(OPERATOR, stating.close(stating.contract(name="d"), "2026-02").number)
    with pytest.raises(InvalidStatementError, match="is not signed"):
        verify(unsigned, tmp_path / "key.pub")


def test_files_of_keys_are_guarded(tmp_path: Path) -> None:
    private, public = write_key(tmp_path)
    assert private.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UnreadableFileError, match="File exists"):
        make_key(private)
    with pytest.raises(UnknownFormatError, match="holds no public key"):
        check_signature(_none(), private)
    with pytest.raises(UnreadableFileError, match="No such file"):
        StatementSigner(tmp_path / "none")
    (tmp_path / "none").write_bytes(public.read_bytes())
    (tmp_path / "none").chmod(0o600)
    with pytest.raises(UnknownFormatError, match="venturi statement key"):
        StatementSigner(tmp_path / "none")
    private.chmod(0o640)
    with pytest.raises(UnreadableFileError, match="can be read by others"):
        StatementSigner(private)


def _none() -> SignedStatement:
    return SignedStatement(statement=None, digest="", signature=None)  # type: ignore[arg-type] # never looked at


def test_what_is_no_statement_is_said_in_a_sentence(exported: bytes) -> None:
    for octets, sentence in (
        (b"{", "the file is no statement"),
        (b'{"statement":1}', "the file is no statement"),
        (exported + b"\n", "no statement|canonical"),
        (exported.replace(b'":', b'": ', 1), "canonical"),
    ):
        with pytest.raises(InvalidStatementError, match=sentence):
            read_signed(octets)


def test_the_ledger_names_the_first_difference(stating: StatementsOfTests) -> None:
    contract = stating.contract()
    stating.meter(0, [37_500] * 12)
    kept = stating.close(contract, "2026-01")
    assert stating.difference(kept.number) is None
    with stating.store.writing(OPERATOR) as writer:
        writer.connection.exec_driver_sql("DROP TRIGGER ledger_usage_unchanged")
        first = "(SELECT min(ordinal) FROM ledger_usage WHERE direction = 0)"
        writer.connection.exec_driver_sql(f"UPDATE ledger_usage SET octets = octets + 1 WHERE ordinal = {first}")  # noqa: S608 - no input
    difference = stating.difference(kept.number)
    assert difference is not None
    assert difference.startswith("measurement.samples.ingress[0]: the statement says 37500, and the ledger 37501")
