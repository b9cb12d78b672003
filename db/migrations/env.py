"""How Alembic reaches the database: on the connection that db.migrate hands over."""

from alembic import context

import db.account_tables
import db.audit_tables
import db.sharing_tables  # noqa: F401 - the same
from db.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
