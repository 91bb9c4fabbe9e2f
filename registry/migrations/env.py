"""How Alembic runs the scripts: on the connection, and in the transaction, of who asked."""

from alembic import context

from registry import result_tables
from registry.tables import Tables

__all__: list[str] = []

# Its tables stand in the same metadata once it is imported.
assert result_tables.RevisionRow.metadata is Tables.metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Tables.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
