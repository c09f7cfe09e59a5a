"""How the schema comes to be that of this version, step by step, by Alembic."""
