"""The edges of adapters: where errors of the world outside become errors of venturi.

Owns one rule: of what others call, nothing but a ``VenturiError`` leaves. A family of adapters has one edge, which says what it converts;
``converting`` applies it to a block, ``adapter`` to a class and ``function`` to a function that others call. Where more is known of an
error, its own module says so before it gets here. Exceptions that only a mistake in venturi raises are converted nowhere.
"""

import functools
import inspect
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, cast

from venturi.core.domain.errors import DriverError, ServeError, ServerError, SpoolError, StoreError, UnreadableFileError, VenturiError

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")
_Adapter = TypeVar("_Adapter", bound=type)

_CALLED_BY_STATEMENTS = frozenset({"__init__", "__iter__", "__next__", "__enter__", "__exit__", "__call__"})

GUARDED = "__edge__"
"""The attribute by which a class or function that an edge guards is known."""


class Edge:
    """Converts errors that are not venturi's to ``error``; ``sentence`` says before the reason what could not be done.

    ``foreign`` are their classes, or names of classes of libraries that not everybody loads: what is not loaded raises nothing.
    """

    def __init__(self, error: type[VenturiError], sentence: str, *foreign: type[Exception] | str) -> None:
        self._error = error
        self._sentence = sentence
        self._foreign = foreign

    @contextmanager
    def converting(self) -> Iterator[None]:
        """Convert what is raised within a block."""
        try:
            yield
        except VenturiError:
            raise
        except self._classes() as error:
            message = f"{self._sentence}: {_reason(error)}"
            raise self._error(message) from error

    def function(self, function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
        """Guard a function; of a generator, each step."""
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def iterating(*arguments: Any, **named: Any) -> Iterator[Any]:  # noqa: ANN401 - as they come
                with self.converting():
                    yield from cast("Iterator[Any]", function(*arguments, **named))

            guarded = cast("Callable[_Parameters, _Result]", iterating)
        else:

            @functools.wraps(function)
            def calling(*arguments: _Parameters.args, **named: _Parameters.kwargs) -> _Result:
                with self.converting():
                    return function(*arguments, **named)

            guarded = calling
        setattr(guarded, GUARDED, self)
        return guarded

    def adapter(self, adapter: _Adapter) -> _Adapter:
        """Guard whatever others call of a class: its making, its public methods and properties, and what statements call of it."""
        for name, member in list(vars(adapter).items()):
            if name.startswith("_") and name not in _CALLED_BY_STATEMENTS:
                continue
            if inspect.isfunction(member):
                setattr(adapter, name, self.function(member))
            elif isinstance(member, property) and member.fget is not None:
                setattr(adapter, name, property(self.function(member.fget), doc=member.__doc__))
        setattr(adapter, GUARDED, self)
        return adapter

    def _classes(self) -> tuple[type[Exception], ...]:
        named = (each if isinstance(each, type) else _loaded(each) for each in self._foreign)
        return tuple(each for each in named if each is not None)


def _loaded(name: str) -> type[Exception] | None:
    """Give the class of a name, None while its module is not loaded."""
    module, _, member = name.rpartition(".")
    return getattr(sys.modules.get(module), member, None)


def _reason(error: Exception) -> str:
    spoken = error.strerror if isinstance(error, OSError) else None
    cause = getattr(error, "orig", None)  # of the driver below SQLAlchemy
    return (spoken or str(cause or error)).partition("\n")[0] or type(error).__name__


_OCTETS = (struct.error, UnicodeError)
"""What octets that are not as they should be raise."""

KERNEL_EDGE = Edge(
    DriverError, "the kernel cannot be spoken to", OSError, BufferError, *_OCTETS, "pyroute2.netlink.exceptions.NetlinkError"
)
"""Drivers, namespaces and devices; a mapping that cannot be closed, because it is still read, raises ``BufferError``."""

SPOOL_EDGE = Edge(
    SpoolError, "the spool cannot be used", OSError, *_OCTETS, "pysqlite3.dbapi2.Error", "msgspec.MsgspecError", "zstandard.ZstdError"
)
"""The spool of an agent."""

STORE_EDGE = Edge(
    StoreError,
    "the database cannot be used",
    OSError,
    *_OCTETS,
    "sqlalchemy.exc.SQLAlchemyError",
    "pysqlite3.dbapi2.Error",
    "psycopg.Error",
    "pymysql.err.Error",
)
"""The database of a server, and backups of it."""

FILES_EDGE = Edge(
    UnreadableFileError,
    "the file cannot be read",
    OSError,
    EOFError,
    *_OCTETS,
    "zlib.error",
    "lzma.LZMAError",
    "zstandard.ZstdError",
    "pyarrow.ArrowException",
)
"""Files that are metered or followed."""

CLIENT_EDGE = Edge(ServerError, "the server cannot be asked", OSError, *_OCTETS, "urllib3.exceptions.HTTPError")
"""Requests to a server of venturi."""

KEYS_EDGE = Edge(UnreadableFileError, "the key cannot be used", OSError, *_OCTETS, "cryptography.exceptions.UnsupportedAlgorithm")
"""Files of keys that sign statements."""

KEYSTONE_EDGE = Edge(ServerError, "Keystone cannot verify tokens at present", OSError, *_OCTETS, "keystoneauth1.exceptions.ClientException")
"""Requests to OpenStack Identity."""

SERVER_EDGE = Edge(ServeError, "the server cannot run", OSError, *_OCTETS)
"""Sockets that are listened on."""
