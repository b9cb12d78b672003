"""How Alembic reaches the database: on the connection that db.migrate hands over."""

from alembic import context

from db.tables.sheets import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
