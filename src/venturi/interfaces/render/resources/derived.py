"""What lists show people that no attribute says by itself: made of the attributes of a resource, or of other resources.

Owns these columns by name, and the short form of ids.
"""

from collections.abc import Mapping

from venturi.adapters.client.collections import HELD, POINTS, RULES, TOKENS, Collection
from venturi.core.domain.direction import Direction
from venturi.core.domain.text import SHORT_IDENTIFIER
from venturi.interfaces.render.resources.cells import spell_field
from venturi.interfaces.render.resources.selection import Row
from venturi.interfaces.render.resources.state import describe_place


def derive_columns(collection: Collection, row: Row, label_names: Mapping[str, str]) -> Row:
    """Give a resource with the derived columns of its collection; ``label_names`` are the names of labels by id."""
    if collection is POINTS:
        return {**row, "place": describe_place(row)}
    if collection is RULES:
        label = str(row.get("metering_label_id"))
        return {**row, "label": label_names.get(label, label), "matches": _spell_matches(row)}
    if collection is TOKENS:
        return {**row, "ends": _end(row)}
    if collection is HELD:
        return {**row, "interval": f"{row.get('posting')}.{row.get('ordinal')}"}
    return row


def shorten_identifier(row: Row) -> Row:
    """Give a row whose id, if it has one, is as short as commands take it."""
    return {**row, "id": str(row["id"])[:SHORT_IDENTIFIER]} if "id" in row else row


def _spell_matches(rule: Row) -> str:
    """Give the prefixes of source and destination; a remote one is the destination of what enters, the source of what leaves."""
    source, destination, remote = (rule.get(f"{end}_ip_prefix") for end in ("source", "destination", "remote"))
    if remote is not None:
        source, destination = (source, remote) if rule.get("direction") == Direction.INGRESS else (remote, destination)
    return f"{source or 'any'} -> {destination or 'any'}"


def describe_match(rule: Row) -> tuple[object, object, str]:
    """Say all by which a rule decides about a packet, so that two rules can be told to be the same."""
    return rule.get("direction"), rule.get("excluded"), _spell_matches(rule)


def _end(token: Row) -> str:
    """Say when a token ends, or since when it opens nothing."""
    if token.get("revoked_at"):
        return f"revoked {spell_field('revoked_at', token['revoked_at'])[0]}"
    return spell_field("expires_at", token["expires_at"])[0] if token.get("expires_at") else "never"
