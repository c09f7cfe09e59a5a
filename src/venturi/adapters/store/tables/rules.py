"""Metering label rules in the store.

Owns what the rules of a label must not do together: overlap by remote prefix. The same source or destination rule may be
there twice, as OpenStack Networking has it; a packet counts once for a label.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from venturi.adapters.store.engines.violations import broken_constraint
from venturi.adapters.store.schema.tables import LABEL_KEY, LABELS, RULE_ATTRIBUTES, RULES, RULES_HISTORY
from venturi.adapters.store.tables.history import delete_rows
from venturi.adapters.store.tables.paging import Collection, read_page, storable
from venturi.adapters.store.tables.remote_ranges import find_remote_overlap
from venturi.adapters.store.tables.rows import read_rules, write_rule
from venturi.adapters.store.transaction import Transaction
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.errors import ConflictError, LabelNotFoundError, RuleOverlapsError
from venturi.core.rules.given_rule import GivenRule

_COLUMNS = [RULES.c[name] for name in RULE_ATTRIBUTES]
_COLLECTION = Collection("metering label rule", _COLUMNS, {name: RULES.c[name] for name in RULE_ATTRIBUTES})
_FIND = select(*_COLUMNS).where(RULES.c.id == bindparam("identifier"))
_INSERT = insert(RULES)
_PREFIXES = frozenset({"remote_ip_prefix", "source_ip_prefix", "destination_ip_prefix"})
_AT_ONCE = 500

Rules = list[GivenRule]  # the method ``list`` hides the built-in type


class RuleTable:
    """The rules that one transaction sees."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    def find(self, rule_id: str) -> GivenRule | None:
        """Give a rule as given, or None."""
        if not storable(rule_id):
            return None
        found = read_rules(self._connection.execute(_FIND, {"identifier": rule_id}))
        return found[0] if found else None

    def list(self, listing: Listing, project_id: str | None = None) -> Rules:
        """List rules, with ``project_id`` only those of that project's labels; raises ``NotFoundError`` for an unknown marker."""
        owned = None if project_id is None else RULES.c.metering_label_id.in_(select(LABELS.c.id).where(LABELS.c.project_id == project_id))
        return read_rules(read_page(self._transaction, _COLLECTION, _with_prefixes_as_kept(listing), owned))

    def insert(self, rules: Sequence[GivenRule]) -> None:
        """Add rules, or none of them.

        Raises ``LabelNotFoundError`` and ``RuleOverlapsError`` (it names the first prefix that overlaps one that is there or one
        before it).
        """
        if not rules:
            return
        self._transaction.require_writing()
        overlapping = find_remote_overlap(self._connection, rules)
        if overlapping is not None:
            raise _overlaps(overlapping)
        revision = self._transaction.change()
        try:
            with self._connection.begin_nested():
                self._connection.execute(_INSERT, [write_rule(rule) | {"valid_from": revision} for rule in rules])
        except IntegrityError as error:
            raise self._refusal(error, rules) from error

    def delete(self, rule_id: str) -> bool:
        """Remove a rule; tell whether there was one."""
        return self.delete_all([rule_id]) == 1

    def delete_all(self, rule_ids: Sequence[str]) -> int:
        """Remove rules; tell how many of them there were."""
        self._transaction.require_writing()
        wanted = [rule_id for rule_id in rule_ids if storable(rule_id)]
        return sum(self._delete_some(wanted[start : start + _AT_ONCE]) for start in range(0, len(wanted), _AT_ONCE))

    def _delete_some(self, rule_ids: Sequence[str]) -> int:
        chosen = RULES.c.id.in_(rule_ids)
        if self._connection.execute(select(RULES.c.id).where(chosen).limit(1)).first() is None:
            return 0
        return delete_rows(self._connection, RULES, RULES_HISTORY, chosen, self._transaction.change())

    def _refusal(self, error: IntegrityError, rules: Sequence[GivenRule]) -> ConflictError | LabelNotFoundError:
        """Give the error that the broken constraint stands for; where the driver does not name it, the one that the rows show."""
        name = broken_constraint(error)
        if name in {None, LABEL_KEY}:
            missing = self._missing_label(rules)
            if missing is not None:
                message = f"Metering label '{missing}' does not exist."
                return LabelNotFoundError(message)
        message = "there is a metering label rule of this id already"
        return ConflictError(message)

    def _missing_label(self, rules: Sequence[GivenRule]) -> str | None:
        """Give the first label of ``rules`` that does not exist."""
        named = list(dict.fromkeys(rule.metering_label_id for rule in rules))
        for start in range(0, len(named), _AT_ONCE):
            some = named[start : start + _AT_ONCE]
            known = set(self._connection.execute(select(LABELS.c.id).where(LABELS.c.id.in_(some))).scalars())
            missing = [label_id for label_id in some if label_id not in known]
            if missing:
                return missing[0]
        return None


def _with_prefixes_as_kept(listing: Listing) -> Listing:
    """Ask for the empty text where a prefix that is left out is asked for; as a prefix, an empty text is none."""
    filters = {
        attribute: tuple("" if value is None else value for value in wanted if value != "") if attribute in _PREFIXES else wanted
        for attribute, wanted in listing.filters.items()
    }
    return replace(listing, filters=filters)


def _overlaps(rule: GivenRule) -> RuleOverlapsError:
    """Give the error for a rule whose remote prefix overlaps another."""
    message = f"Metering label rule with remote_ip_prefix '{rule.fields.remote_ip_prefix}' overlaps another."
    return RuleOverlapsError(message, rule.id)
