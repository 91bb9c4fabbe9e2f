"""Which hardware stood in a device's place, and when."""

import sqlalchemy as sa
from alembic import op

from registry.tables import NUMBER, words

__all__ = ["branch_labels", "depends_on", "down_revision", "revision", "upgrade"]

revision = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make the table; a device without a row is its own hardware."""
    op.create_table(
        "device_hardware",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("provider", words(64), nullable=False),
        sa.Column("device", words(200), nullable=False),
        sa.Column("hardware", words(200), nullable=False),
        sa.Column("from_us", sa.BigInteger),
        sa.Column("until_us", sa.BigInteger),
        sa.Column("note", words(200), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
    )
    op.create_index("hardware_by_device", "device_hardware", ["provider", "device"])
    op.create_index("hardware_by_id", "device_hardware", ["provider", "hardware"])
    op.create_index("ix_device_hardware_revision", "device_hardware", ["revision"])
