"""Districts, profiles, calibrations, and what else there is to know of devices and places."""

import sqlalchemy as sa
from alembic import op

from registry.tables import NUMBER, words

__all__ = ["branch_labels", "depends_on", "down_revision", "revision", "upgrade"]

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make the tables; what is registered stays as it is."""
    _make_districts_and_profiles()
    _make_calibrations()
    with op.batch_alter_table("places") as places:
        places.add_column(_words_of("address", 200))
        places.add_column(sa.Column("found_district", words(64)))
    with op.batch_alter_table("devices") as devices:
        devices.add_column(_words_of("address", 200))
        devices.add_column(sa.Column("timezone", words(64)))
        devices.add_column(sa.Column("site_class", words(16)))
        devices.add_column(sa.Column("population", sa.BigInteger))
        devices.add_column(sa.Column("profile", words(64)))
        devices.add_column(sa.Column("installed_on", sa.Date))
        devices.add_column(sa.Column("retired_on", sa.Date))
        devices.add_column(sa.Column("found_district", words(64)))
        devices.create_foreign_key("devices_profile", "profiles", ["profile"], ["name"])
    op.create_index("ix_devices_profile", "devices", ["profile"])


def _words_of(name: str, length: int) -> sa.Column[str]:
    """Return a column that is empty in the rows that are there."""
    return sa.Column(name, words(length), nullable=False, server_default="")


def _make_districts_and_profiles() -> None:
    op.create_table(
        "districts",
        sa.Column("name", words(64), primary_key=True),
        sa.Column("title", words(200), nullable=False),
        sa.Column("population", sa.BigInteger),
        sa.Column("geometry", sa.JSON, nullable=False),
        *_instants(),
    )
    op.create_table(
        "profiles",
        sa.Column("name", words(64), primary_key=True),
        sa.Column("title", words(200), nullable=False),
        sa.Column("kind", words(64), nullable=False),
        sa.Column("expected_interval_s", sa.Float(53)),
        sa.Column("quantities", sa.JSON, nullable=False),
        *_instants(),
    )


def _make_calibrations() -> None:
    op.create_table(
        "calibrations",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("provider", words(64), nullable=False),
        sa.Column("device", words(200), nullable=False),
        sa.Column("quantity", words(64), nullable=False),
        sa.Column("factor", sa.Float(53), nullable=False),
        sa.Column("offset", sa.Float(53), nullable=False),
        sa.Column("valid_from_us", sa.BigInteger, nullable=False),
        sa.Column("valid_until_us", sa.BigInteger),
        sa.Column("note", words(200), nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
    )
    op.create_index("calibrations_by_device", "calibrations", ["provider", "device", "quantity"])


def _instants() -> tuple[sa.Column[int], sa.Column[int]]:
    return (
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
    )
