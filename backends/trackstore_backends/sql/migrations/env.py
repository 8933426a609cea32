"""What alembic runs to apply revisions; the caller supplies the connection and ends it."""

from alembic import context

from trackstore_backends.sql.schema import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
