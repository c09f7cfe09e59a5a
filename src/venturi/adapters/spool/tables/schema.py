"""The tables of a spool.

Owns their columns and the version of the layout. Content that is only ever read whole lies in blobs (``forms``).
"""

APPLICATION_ID = 0x56454E54
"""Marks the file as a spool: ``VENT``."""

LAYOUT = 1
"""The version of the tables; a reader refuses one that it does not know."""

TABLES = (
    """CREATE TABLE spool (
        id TEXT NOT NULL, agent_id TEXT NOT NULL, boot_id TEXT NOT NULL, sequence INTEGER NOT NULL, digest BLOB NOT NULL
    ) STRICT""",
    "CREATE TABLE classifiers (digest TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT",
    """CREATE TABLE generations (
        id TEXT PRIMARY KEY, digest TEXT NOT NULL REFERENCES classifiers, state TEXT NOT NULL, content BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX generations_by_digest ON generations (digest)",
    "CREATE TABLE readings (generation TEXT PRIMARY KEY REFERENCES generations ON DELETE CASCADE, content BLOB NOT NULL) STRICT",
    "CREATE TABLE label_sets (digest BLOB PRIMARY KEY, content BLOB NOT NULL) STRICT",
    """CREATE TABLE intervals (
        id INTEGER PRIMARY KEY, kind BLOB NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, rows INTEGER NOT NULL,
        labels BLOB NOT NULL REFERENCES label_sets, content BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX intervals_by_kind ON intervals (kind, start, end)",
    "CREATE INDEX intervals_by_labels ON intervals (labels)",
    """CREATE TABLE batches (
        sequence INTEGER PRIMARY KEY, previous BLOB NOT NULL, digest BLOB NOT NULL, payload BLOB NOT NULL, acknowledged_at INTEGER
    ) STRICT""",
    "CREATE INDEX batches_by_acknowledgement ON batches (acknowledged_at)",
)
