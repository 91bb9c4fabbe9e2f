"""When devices are being worked on."""

import sqlalchemy as sa
from alembic import op

from registry.tables import NUMBER, words

__all__ = ["branch_labels", "depends_on", "down_revision", "revision", "upgrade"]

revision = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make the table; nothing was known of maintenance before."""
    op.create_table(
        "maintenance",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("provider", words(64), nullable=False),
        sa.Column("device", words(200), nullable=False),
        sa.Column("from_us", sa.BigInteger, nullable=False),
        sa.Column("until_us", sa.BigInteger),
        sa.Column("note", words(200), nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
    )
    op.create_index("maintenance_by_device", "maintenance", ["provider", "device"])
