"""The triggers that keep the ledger append-only, whoever writes to the database.

Owns their statements on each kind of database. Entries are never changed; they are removed only up to the posting that
``ledger_state.removable`` names, which is 0 unless retention, an operation of the ledger itself, has raised it. What entries name goes only
with all of them.
"""

from collections.abc import Sequence

from alembic import op

from venturi.adapters.store.migrations.steps import create_trigger

_SENTENCE = "the ledger is append-only"
_POSTING_KEPT = "OLD.posting > (SELECT removable FROM ledger_state)"
_ANY_KEPT = "(SELECT posting > removable FROM ledger_state)"
_FUNCTION = """
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF NOT {kept} THEN RETURN OLD; END IF;
  END IF;
  RAISE EXCEPTION '{sentence}';
END $$
"""


def make_triggers(entries: Sequence[str], versions: Sequence[str]) -> None:
    """Protect tables of entries, and tables of what entries name; the migration that does says ``makes_triggers``."""
    protect = {"sqlite": _on_sqlite, "postgresql": _on_postgresql, "mariadb": _on_mariadb, "mysql": _on_mariadb}[op.get_bind().dialect.name]
    for tables, kept in ((entries, _POSTING_KEPT), (versions, _ANY_KEPT)):
        if tables:
            protect(tables, kept)


def _on_sqlite(tables: Sequence[str], kept: str) -> None:
    refusal = f"BEGIN SELECT RAISE(ABORT, '{_SENTENCE}'); END"
    for table in tables:
        create_trigger(f"{table}_unchanged", f"BEFORE UPDATE ON {table} {refusal}")
        create_trigger(f"{table}_kept", f"BEFORE DELETE ON {table} WHEN {kept} {refusal}")


def _on_postgresql(tables: Sequence[str], kept: str) -> None:
    function = f"keep_{tables[0]}"
    op.get_bind().exec_driver_sql(_FUNCTION.format(name=function, kept=kept, sentence=_SENTENCE))
    for table in tables:
        create_trigger(f"{table}_kept", f"BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")
        create_trigger(f"{table}_whole", f"BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {function}()")


def _on_mariadb(tables: Sequence[str], kept: str) -> None:
    refusal = f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{_SENTENCE}'"
    for table in tables:
        create_trigger(f"{table}_unchanged", f"BEFORE UPDATE ON {table} FOR EACH ROW {refusal}")
        create_trigger(f"{table}_kept", f"BEFORE DELETE ON {table} FOR EACH ROW IF {kept} THEN {refusal}; END IF")
