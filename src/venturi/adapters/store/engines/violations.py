"""Which constraint a refused statement broke, as drivers tell in structured form.

Owns the differences between drivers. Message texts are not looked at: where a driver gives no more than those, the answer is
None, and whoever asked finds the cause by a query.
"""

from sqlalchemy.exc import IntegrityError


def broken_constraint(error: IntegrityError) -> str | None:
    """Give the name of the constraint that a statement broke, None if the driver (SQLite's, MariaDB's) does not tell it."""
    diagnosis = getattr(error.orig, "diag", None)
    name = getattr(diagnosis, "constraint_name", None)
    return name if isinstance(name, str) else None
