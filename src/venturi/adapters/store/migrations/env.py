"""What Alembic runs to migrate: on the connection and in the transaction that the caller has open.

Owns nothing else; ``running`` is what calls Alembic.
"""

from alembic import context

from venturi.adapters.store.schema.all_tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
