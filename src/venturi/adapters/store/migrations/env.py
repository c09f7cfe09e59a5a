"""What Alembic runs to migrate: on the connection and in the transaction that the caller has open.

Owns nothing else; ``running`` is what calls Alembic.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
