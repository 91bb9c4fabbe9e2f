"""What published ratios are made of, so that ratios of areas and days become one of their sums."""

import sqlalchemy as sa
from alembic import op

__all__ = ["branch_labels", "depends_on", "down_revision", "revision", "upgrade"]

revision = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the columns; nothing published before was combined by its sums."""
    op.add_column("indicator_revisions", sa.Column("numerator", sa.Float(53)))
    op.add_column("indicator_revisions", sa.Column("denominator", sa.Float(53)))
