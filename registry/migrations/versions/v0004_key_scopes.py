"""Keys that may only send: to one route, or to the routes of one provider."""

import sqlalchemy as sa
from alembic import op

from registry.tables import words

__all__ = ["branch_labels", "depends_on", "down_revision", "revision", "upgrade"]

revision = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Keys that there are go on as before: nothing narrows them."""
    op.add_column("api_keys", sa.Column("provider", words(64)))
    op.add_column("api_keys", sa.Column("route", words(64)))
