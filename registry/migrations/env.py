"""How Alembic runs the scripts: on the connection, and in the transaction, of who asked."""

from alembic import context

from registry.tables import Tables

__all__: list[str] = []

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Tables.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
