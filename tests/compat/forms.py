"""The forms that other versions read, each as a digest of all that it is made of: ``python -m tests.compat.forms`` prints them.

Owns what belongs to a form: its fields, their order and bounds, and the words that they may have. Docstrings do not.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

import msgspec

from venturi.adapters.client.ledger import SpoolStanding
from venturi.adapters.spool.tables import forms as spool_forms
from venturi.adapters.spool.tables.schema import APPLICATION_ID, LAYOUT, TABLES
from venturi.adapters.spool.values import GenerationState
from venturi.adapters.store.maintenance import dump_format
from venturi.adapters.store.migrations.running import known_schemas
from venturi.adapters.store.schema.all_tables import METADATA
from venturi.core.classify.digest import digest_of
from venturi.core.domain.coverage import Coverage, CoverageReason
from venturi.core.domain.direction import Direction, DirectionCode
from venturi.core.domain.generation import Segments
from venturi.core.domain.point import Hook, PointKind, PointTraffic
from venturi.core.ledger.batch import BATCH_FORMS, BATCH_VERSION, MEDIA_TYPE, Batch, Envelope
from venturi.core.ledger.chain import chain_digest
from venturi.core.ledger.seal import seal
from venturi.services.control.planning.form import PLAN_VERSION, Plan

_DIGITS = 16


def _batch() -> object:
    sealed = chain_digest("a" * 32, 7, bytes(32), b"payload").hex()
    words = _words(Coverage, CoverageReason, Segments, PointKind, DirectionCode)
    return [BATCH_VERSION, sorted(BATCH_FORMS), MEDIA_TYPE, _schema(Batch), _schema(Envelope), _schema(SpoolStanding), words, sealed]


def _plan() -> object:
    return [PLAN_VERSION, _schema(Plan), _words(PointKind, PointTraffic, Hook, Direction), digest_of(["a form"])]


def _spool() -> object:
    names = ("_Label", "_Rule", "_Place", "_Reading", "_Interval")
    columns = [column.str for column in spool_forms._COLUMN_TYPES]
    return [APPLICATION_ID, LAYOUT, TABLES, [_schema(getattr(spool_forms, name)) for name in names], _words(GenerationState), columns]


def _database() -> object:
    tables = {
        table.name: [[column.name, type(column.type).__name__, column.nullable, column.primary_key] for column in table.columns]
        for table in METADATA.sorted_tables
    }
    return [known_schemas(), tables]


def _dump() -> object:
    lines = [_schema(line) for line in (dump_format.Head, dump_format.Opening, dump_format.Ending)]
    return [dump_format.FORMAT, dump_format.LEDGER_FORMAT, dump_format.VERSION, lines]


def _seal() -> object:
    entries = [[column.name for column in METADATA.tables[f"ledger_{name}"].columns] for name in _SEALED]
    return [seal("before", [1, "batch", None], [(1, 0)], [(1, 1, 2)]), entries]


_SEALED = ("postings", "intervals", "totals", "usage", "corrections")

FORMS: Mapping[str, Callable[[], object]] = MappingProxyType(
    {"batch": _batch, "plan": _plan, "spool": _spool, "database": _database, "dump": _dump, "seal": _seal}
)
"""What each form is made of."""


def digest_forms() -> dict[str, str]:
    """Give the digests of the present forms by name."""
    return {name: hashlib.sha256(_spell(parts()).encode()).hexdigest()[:_DIGITS] for name, parts in FORMS.items()}


def _spell(parts: object) -> str:
    return json.dumps(parts, sort_keys=True)


def _words(*enumerations: type[Enum]) -> list[list[object]]:
    return [[word.value for word in enumeration] for enumeration in enumerations]


def _schema(form: Any) -> object:  # noqa: ANN401 - a type
    """Give the JSON Schema of a form without what only describes it."""
    return _strip(msgspec.json.schema(form))


def _strip(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(schema, Mapping):
        return {name: _strip(part) for name, part in schema.items() if not (name in {"description", "title"} and isinstance(part, str))}
    return [_strip(part) for part in schema] if isinstance(schema, Iterable) and not isinstance(schema, str) else schema


if __name__ == "__main__":
    sys.stdout.write("[versions.forms]\n" + "".join(f'{name} = "{digest}"\n' for name, digest in digest_forms().items()))
