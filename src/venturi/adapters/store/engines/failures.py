"""What databases and their drivers report, as an error of venturi's.

Owns no constraint: what breaks one is known where the statement is run (``violations``).
"""

from contextlib import AbstractContextManager

from venturi.adapters.edges import STORE_EDGE


def database_errors() -> AbstractContextManager[None]:
    """Turn whatever a database or its driver reports into ``StoreError``, past SQLAlchemy too, as within COPY."""
    return STORE_EDGE.converting()
