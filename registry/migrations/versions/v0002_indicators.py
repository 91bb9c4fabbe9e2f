"""Revisions of published numbers, late arrivals, leases, and time zones of places."""

import sqlalchemy as sa
from alembic import context, op

from registry.tables import words

__all__ = ["branch_labels", "depends_on", "down_revision", "revision", "upgrade"]

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables; nothing is computed yet."""
    op.add_column("places", sa.Column("timezone", words(64)))
    _make_revisions()
    op.create_table(
        "indicator_arrivals",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("written_us", sa.BigInteger, nullable=False),
        sa.Column("marks", sa.JSON, nullable=False),
        sa.Column("cause", words(16), nullable=False),
        sa.Column("touched", sa.LargeBinary, nullable=False),
    )
    leases = op.create_table(
        "leases",
        sa.Column("name", words(32), primary_key=True),
        sa.Column("holder", words(64), nullable=False),
        sa.Column("until_us", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(leases, [{"name": "indicators", "holder": "", "until_us": 0}])
    counters = sa.table("counters", sa.column("name"), sa.column("value"))
    # Whatever is older than this instant is told of when it comes.
    now_us: int = context.config.attributes["now_us"]
    values = {"results": 0, "closing": now_us, "closed": 0}
    op.bulk_insert(counters, [{"name": name, "value": values[name]} for name in values])


def _make_revisions() -> None:
    op.create_table(
        "indicator_revisions",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("indicator", words(100), nullable=False),
        sa.Column("version", words(32), nullable=False),
        sa.Column("area", words(300), nullable=False),
        sa.Column("grain", words(8), nullable=False),
        sa.Column("start_us", sa.BigInteger, nullable=False),
        sa.Column("end_us", sa.BigInteger, nullable=False),
        sa.Column("known_us", sa.BigInteger, nullable=False),
        sa.Column("tz", words(64), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("recorded_from_us", sa.BigInteger, nullable=False),
        sa.Column("recorded_to_us", sa.BigInteger),
        sa.Column("value", sa.Float(53)),
        sa.Column("unrounded", sa.Float(53)),
        sa.Column("band", words(64)),
        sa.Column("main_input", words(64)),
        sa.Column("completeness", sa.Float(53), nullable=False),
        sa.Column("n_used", sa.BigInteger, nullable=False),
        sa.Column("n_expected", sa.BigInteger, nullable=False),
        sa.Column("marks", sa.JSON, nullable=False),
        sa.Column("reason", words(16)),
        sa.Column("cause", words(16)),
        sa.Column("inputs_hash", words(64), nullable=False),
        sa.Column("lineage", sa.JSON, nullable=False),
        sa.UniqueConstraint("indicator", "version", "area", "start_us", "end_us", "revision"),
    )
    by_area = ["indicator", "area", "grain", "start_us"]
    op.create_index("revisions_by_area", "indicator_revisions", by_area)
    op.create_index("revisions_by_time", "indicator_revisions", ["indicator", "grain", "start_us"])
