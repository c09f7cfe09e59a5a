"""The collection of all tables, and how their keys and indexes are named.

Owns no table; ``all_tables`` is where the collection is whole.
"""

from sqlalchemy import MetaData

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)
"""All tables of the store, without the one in which Alembic notes the version of the schema."""
