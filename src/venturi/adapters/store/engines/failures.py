"""What databases and their drivers report, as an error of venturi's.

Owns no constraint: what breaks one is known where the statement is run (``violations``).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from venturi.core.domain.errors import StoreError


@contextmanager
def database_errors() -> Iterator[None]:
    """Turn whatever a database or its driver reports into ``StoreError``."""
    try:
        yield
    except SQLAlchemyError as error:
        reason = str(error.orig if isinstance(error, DBAPIError) else error).partition("\n")[0]
        message = f"the database cannot be used: {reason}"
        raise StoreError(message) from error
