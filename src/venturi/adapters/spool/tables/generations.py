"""The tables of generations: what counts in the kernel, by which classifier, and up to which totals it is recorded.

Owns their rows. A transaction around them is for the spool.
"""

from collections.abc import Collection, Mapping

from pysqlite3.dbapi2 import Connection

from venturi.adapters.spool.tables.forms import (
    pack_classifier,
    pack_generation,
    pack_reading,
    unpack_classifier,
    unpack_generation,
)
from venturi.adapters.spool.values import GenerationState, LastReading, SpooledGeneration
from venturi.core.domain.errors import SpoolError
from venturi.core.domain.label import LabelWithRules


def read_generations(connection: Connection) -> tuple[SpooledGeneration, ...]:
    """List all generations, in the order in which they were entered."""
    query = "SELECT g.content, g.state, r.content FROM generations g LEFT JOIN readings r ON r.generation = g.id ORDER BY g.rowid"
    return tuple(unpack_generation(*row) for row in connection.execute(query))


def add_generation(connection: Connection, spooled: SpooledGeneration, classifier: tuple[LabelWithRules, ...]) -> None:
    """Enter a generation, and the classifier that it counts by where no other does so already."""
    digest = spooled.generation.digest
    if connection.execute("SELECT 1 FROM classifiers WHERE digest = ?", (digest,)).fetchone() is None:
        connection.execute("INSERT INTO classifiers VALUES (?, ?)", (digest, pack_classifier(classifier)))
    row = (spooled.generation.id, digest, str(spooled.state), pack_generation(spooled))
    connection.execute("INSERT INTO generations (id, digest, state, content) VALUES (?, ?, ?, ?)", row)
    if spooled.last is not None:
        write_readings(connection, {spooled.generation.id: spooled.last})


def replace_generation(connection: Connection, spooled: SpooledGeneration) -> None:
    """Put a generation, with its last totals, in the place of the one of its id."""
    connection.execute("UPDATE generations SET content = ? WHERE id = ?", (pack_generation(spooled), spooled.generation.id))
    if spooled.last is not None:
        write_readings(connection, {spooled.generation.id: spooled.last})


def read_classifier(connection: Connection, digest: str) -> tuple[LabelWithRules, ...]:
    """Give the labels and rules of a classifier; raises ``SpoolError`` for one that no generation counts by."""
    row = connection.execute("SELECT content FROM classifiers WHERE digest = ?", (digest,)).fetchone()
    if row is None:
        message = f"the spool knows no classifier {digest}"
        raise SpoolError(message)
    return unpack_classifier(row[0])


def write_readings(connection: Connection, readings: Mapping[str, LastReading]) -> None:
    """Put last totals, by id of a generation, in the place of those before."""
    rows = [(generation, pack_reading(reading)) for generation, reading in readings.items()]
    connection.executemany("INSERT INTO readings VALUES (?, ?) ON CONFLICT DO UPDATE SET content = excluded.content", rows)


def write_states(connection: Connection, states: Mapping[str, GenerationState]) -> None:
    """Note how far generations, by id, have come."""
    connection.executemany("UPDATE generations SET state = ? WHERE id = ?", [(str(state), name) for name, state in states.items()])


def drop_generations(connection: Connection, names: Collection[str]) -> None:
    """Forget generations by id, and the classifiers that no other counts by."""
    if names:
        connection.executemany("DELETE FROM generations WHERE id = ?", [(name,) for name in names])
        connection.execute("DELETE FROM classifiers WHERE digest NOT IN (SELECT digest FROM generations)")
