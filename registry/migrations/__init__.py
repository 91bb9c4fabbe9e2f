"""The history of the tables: Alembic runs these scripts when a database is opened."""
