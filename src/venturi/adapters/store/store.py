"""The store: a database that one or more servers read and write, in transactions.

Owns when a transaction begins and ends, and that changes are numbered in the order in which they are committed. What is
read and written within one is for the tables.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass

from sqlalchemy import Connection

from venturi.adapters.edges import STORE_EDGE
from venturi.adapters.store.engines.engines import Engines, build_engines
from venturi.adapters.store.engines.failures import database_errors
from venturi.adapters.store.engines.locations import file_of, is_embedded, read_location
from venturi.adapters.store.engines.versions import require_supported_server
from venturi.adapters.store.engines.writer_lock import WriterLock
from venturi.adapters.store.ledger.durability import find_volatility
from venturi.adapters.store.ledger.held_counts import HeldCounts
from venturi.adapters.store.ledger.postings import LedgerWriter
from venturi.adapters.store.ledger.reading import LedgerReader
from venturi.adapters.store.ledger.rolling.writer import RollerWriter
from venturi.adapters.store.ledger.telling import ToldWriter
from venturi.adapters.store.ledger.told_history import ToldHistory
from venturi.adapters.store.ledger.versions import VersionMemory
from venturi.adapters.store.migrations.running import require_head, upgrade_by_pieces
from venturi.adapters.store.tables.agents import AgentTable
from venturi.adapters.store.tables.alarms import AlarmTable
from venturi.adapters.store.tables.contracts import ContractTable
from venturi.adapters.store.tables.label_changes import note_label_changes
from venturi.adapters.store.tables.labels import LabelTable
from venturi.adapters.store.tables.leases import LeaseTable
from venturi.adapters.store.tables.points import PointTable
from venturi.adapters.store.tables.revisions import RevisionTable, lock_revisions, read_latest, read_latest_revision, write_revision
from venturi.adapters.store.tables.rules import RuleTable
from venturi.adapters.store.tables.sessions import SessionTable
from venturi.adapters.store.tables.statements import StatementTable
from venturi.adapters.store.tables.token_changes import TokenChangeTable
from venturi.adapters.store.tables.tokens import TokenTable
from venturi.adapters.store.transaction import Transaction
from venturi.adapters.store.usage.sums import UsageTables
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.control.revision import LatestRevision, Revision
from venturi.core.domain.errors import StoreError
from venturi.core.domain.interval import Nanoseconds


@dataclass(frozen=True)
class StoreConfig:
    """Which database, as a URL, how many connections read at once, and for how many seconds a writer waits for others of its process."""

    url: str
    pool_size: int = 10
    patience: float = 30.0


class StoreReader:
    """What a transaction sees of the store: one consistent state."""

    def __init__(self, transaction: Transaction, up_to: int | None = None) -> None:
        """See what the transaction does; with ``up_to``, usage as it was when that was the latest posting."""
        self._transaction = transaction
        self.labels = LabelTable(transaction)
        self.rules = RuleTable(transaction)
        self.points = PointTable(transaction)
        self.tokens = TokenTable(transaction)
        self.token_changes = TokenChangeTable(transaction)
        self.leases = LeaseTable(transaction)
        self.alarms = AlarmTable(transaction)
        self.agents = AgentTable(transaction)
        self.contracts = ContractTable(transaction)
        self.statements = StatementTable(transaction)
        self.sessions = SessionTable(transaction)
        self.revisions = RevisionTable(transaction)
        self.ledger = LedgerReader(transaction)
        self.told = ToldHistory(transaction.connection)
        self.usage = UsageTables(transaction, up_to)

    def as_of(self, posting: int) -> "StoreReader":
        """Give the same state, but usage as it was when ``posting`` was the latest."""
        return StoreReader(self._transaction, posting)

    @property
    def connection(self) -> Connection:
        """The connection that the transaction has, for what else reads the same state."""
        return self._transaction.connection


class StoreWriter(StoreReader):
    """A transaction that may write; everything that it changes makes one revision."""

    @property
    def revision(self) -> int | None:
        """The number of the revision that this transaction makes, None while nothing versioned changed."""
        return self._transaction.revision


@STORE_EDGE.adapter
class Store:
    """Keeps what a server was told; ``start`` opens the database and ``stop`` closes it. Its methods are for any thread."""

    def __init__(self, config: StoreConfig) -> None:
        self._config = config
        self._location = read_location(config.url)
        self._engines: Engines | None = None
        self._file_lock = WriterLock(file_of(self._location)) if is_embedded(self._location) else None
        self._turn = threading.Lock()
        # Only an embedded database has one writer at a time for everything.
        self._posting_turn = self._turn if self.embedded else threading.Lock()
        self._rolling_turn = self._turn if self.embedded else threading.Lock()
        self._versions = VersionMemory()
        self._held_counts = HeldCounts()
        # SQLite lets go of the interpreter for each row: threads that fetch side by side wait for it a thousand times a list.
        self._fetching: AbstractContextManager[object] = threading.Lock() if is_embedded(self._location) else nullcontext()

    def start(self) -> None:
        """Open the database; an embedded one gets the schema of this version.

        Raises ``StoreInUseError`` while another process writes to an embedded database, ``SchemaError`` for another schema
        than this version's, and ``StoreError`` where the database cannot be opened.
        """
        engines = build_engines(self._location, self._config.pool_size)
        with ExitStack() as undoing:
            undoing.callback(self._close, engines)
            if self._file_lock is not None:
                self._file_lock.start()
            with database_errors(), engines.writers.begin() as connection:
                require_supported_server(connection)
            with database_errors():
                if is_embedded(self._location):
                    upgrade_by_pieces(engines.writers.begin)
                with engines.writers.begin() as connection:
                    require_head(connection)
            undoing.pop_all()
        self._engines = engines

    def stop(self) -> None:
        """Close the database; transactions that run keep their connections to their end."""
        engines, self._engines = self._engines, None
        if engines is not None:
            self._close(engines)

    def ping(self) -> None:
        """Raise ``StoreError`` unless the database can be read and has the schema of this version."""
        self._require_file()
        with database_errors(), self._started.readers.connect() as connection:
            require_head(connection)
            read_latest(connection)

    def latest_revision(self) -> int:
        """Give the number of the latest revision, 0 before the first; raises ``StoreError``."""
        with database_errors(), self._started.readers.connect() as connection:
            return read_latest(connection)

    def latest(self) -> LatestRevision:
        """Give the latest revision and its time, by which histories are told apart; raises ``StoreError``."""
        with database_errors(), self._started.readers.connect() as connection:
            return read_latest_revision(connection)

    @contextmanager
    def reading(self) -> Iterator[StoreReader]:
        """Read in one transaction, which sees one state from its first statement on; raises ``StoreError``."""
        with database_errors(), self._started.readers.connect() as connection:
            yield StoreReader(Transaction(connection, self._fetching))

    @contextmanager
    def writing(self, author: Principal) -> Iterator[StoreWriter]:
        """Write in one transaction, the only one that does on all servers; an exception undoes it all.

        What is versioned becomes a revision of ``author``. Raises ``StoreError``.
        """
        engines = self._started
        with database_errors(), self._writing_alone(self._turn), engines.writers.begin() as connection:
            transaction = Transaction(connection, self._fetching, lock_revisions(connection) + 1)
            yield StoreWriter(transaction)
            if transaction.revision is not None:
                note_label_changes(connection, transaction.revision)
                write_revision(connection, _make_revision(transaction.revision, author))

    @contextmanager
    def telling(self) -> Iterator[ToldWriter]:
        """Write the record of what hosts are told in one transaction, the only one that does on all servers. Raises ``StoreError``."""
        engines = self._started
        self._require_file()
        with database_errors(), self._writing_alone(self._turn), engines.writers.begin() as connection:
            yield ToldWriter(connection)

    @contextmanager
    def posting(self) -> Iterator[LedgerWriter]:
        """Post in one transaction, the only one that does on all servers; an exception undoes it all.

        Once the block is left without one, what was posted is on stable storage. Raises ``StoreError``.
        """
        engines = self._started
        with database_errors(), self._writing_alone(self._posting_turn):
            with engines.posters.begin() as connection:
                writer = LedgerWriter(connection, self._versions, self._held_counts)
                yield writer
            writer.versions.remember()

    def count_held(self) -> None:
        """Count what is held, so that no posting need wait until that is done; raises ``StoreError``."""
        with self._posting_turn, self.reading() as reader:
            self._held_counts.learn(reader.connection, reader.ledger.latest_posting())

    @contextmanager
    def rolling(self) -> Iterator[RollerWriter]:
        """Roll postings up in one transaction; an exception undoes it all. Raises ``StoreError``."""
        engines = self._started
        with database_errors(), self._writing_alone(self._rolling_turn), engines.rollers.begin() as connection:
            yield RollerWriter(connection)

    @contextmanager
    def _writing_alone(self, turn: threading.Lock) -> Iterator[None]:
        """Wait for the turn to write, but not for ever: a long posting must not keep all threads of a server; raises ``StoreError``."""
        self._require_file()
        if not turn.acquire(timeout=self._config.patience):
            message = "the database is being written to for long; try again"
            raise StoreError(message)
        try:
            yield
        finally:
            turn.release()

    def find_volatility(self) -> str | None:
        """Say which setting of the database lets a commit return before it is on stable storage, None if none does."""
        with database_errors(), self._started.readers.connect() as connection:
            return find_volatility(connection)

    @property
    def embedded(self) -> bool:
        """Whether the database is a file, in which one transaction writes at a time."""
        return is_embedded(self._location)

    @property
    def _started(self) -> Engines:
        if self._engines is None:
            message = "the store is not open"
            raise StoreError(message)
        return self._engines

    def _require_file(self) -> None:
        if self._file_lock is not None:
            self._file_lock.require_file()

    def _close(self, engines: Engines) -> None:
        try:
            engines.dispose()
        finally:
            if self._file_lock is not None:
                self._file_lock.stop()


def _make_revision(number: int, author: Principal) -> Revision:
    return Revision(number=number, at=Nanoseconds(time.time_ns()), author=author.user_id, project_id=author.project_id)
