"""The first tables, and the route that every platform has: native messages."""

import sqlalchemy as sa
from alembic import context, op

from registry.tables import words

__all__ = ["branch_labels", "depends_on", "down_revision", "revision", "upgrade"]

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

NATIVE_PATTERN = "madina/v1/+/+/up"


def upgrade() -> None:
    """Make the tables."""
    _make_counters()
    _make_providers_and_places()
    _make_devices()
    routes = _make_routes()
    _make_users_and_keys()
    _make_audit()
    now_us: int = context.config.attributes["now_us"]
    op.bulk_insert(
        routes,
        [
            {
                "name": "native",
                "pattern": NATIVE_PATTERN,
                "codec": "native",
                "provider": None,
                "recorded": False,
                "timezone": None,
                "enabled": True,
                "removed": False,
                "options": {},
                "levels": [],
                "revision": 1,
                "created_us": now_us,
                "updated_us": now_us,
            }
        ],
    )


def _make_counters() -> None:
    counters = op.create_table(
        "counters",
        sa.Column("name", words(16), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    # The native route below has taken the first revision.
    op.bulk_insert(counters, [{"name": "facts", "value": 1}, {"name": "access", "value": 1}])


def _make_providers_and_places() -> None:
    op.create_table(
        "providers",
        sa.Column("name", words(64), primary_key=True),
        sa.Column("title", words(200), nullable=False),
        sa.Column("contact", words(200), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        *_instants(),
    )
    op.create_index("ix_providers_revision", "providers", ["revision"])
    op.create_table(
        "places",
        sa.Column("name", words(64), primary_key=True),
        sa.Column("title", words(200), nullable=False),
        sa.Column("lat", sa.Float(53)),
        sa.Column("lon", sa.Float(53)),
        sa.Column("district", words(64)),
        *_instants(),
    )


def _make_devices() -> None:
    op.create_table(
        "devices",
        sa.Column("provider", words(64), sa.ForeignKey("providers.name"), primary_key=True),
        sa.Column("id", words(200), primary_key=True),
        sa.Column("kind", words(64), nullable=False),
        sa.Column("name", words(200), nullable=False),
        sa.Column("status", words(16), nullable=False),
        sa.Column("expected_interval_s", sa.Float(53)),
        sa.Column("lat", sa.Float(53)),
        sa.Column("lon", sa.Float(53)),
        sa.Column("district", words(64)),
        sa.Column("place", words(64), sa.ForeignKey("places.name")),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        *_instants(),
    )
    op.create_index("devices_by_id", "devices", ["id"])
    op.create_index("ix_devices_place", "devices", ["place"])
    op.create_index("ix_devices_revision", "devices", ["revision"])


def _make_routes() -> sa.Table:
    routes = op.create_table(
        "routes",
        sa.Column("name", words(64), primary_key=True),
        sa.Column("pattern", words(512), nullable=False),
        sa.Column("codec", words(64), nullable=False),
        sa.Column("provider", words(64), sa.ForeignKey("providers.name")),
        sa.Column("recorded", sa.Boolean, nullable=False),
        sa.Column("timezone", words(64)),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("removed", sa.Boolean, nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("levels", sa.JSON, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        *_instants(),
    )
    op.create_index("ix_routes_revision", "routes", ["revision"])
    return routes


def _make_users_and_keys() -> None:
    op.create_table(
        "users",
        sa.Column("name", words(200), primary_key=True),
        sa.Column("provider", words(64), sa.ForeignKey("providers.name"), nullable=False),
        sa.Column("device", words(200)),
        sa.Column("salt", words(64), nullable=False),
        sa.Column("secret_sha256", words(64), nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        *_instants(),
    )
    op.create_index("ix_users_provider", "users", ["provider"])
    op.create_table(
        "api_keys",
        sa.Column("id", words(32), primary_key=True),
        sa.Column("name", words(200), nullable=False),
        sa.Column("secret_sha256", words(64), nullable=False, unique=True),
        sa.Column("created_us", sa.BigInteger, nullable=False),
    )


def _make_audit() -> None:
    op.create_table(
        "audit",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("time_us", sa.BigInteger, nullable=False),
        sa.Column("actor", words(200), nullable=False),
        sa.Column("action", words(64), nullable=False),
        sa.Column("subject", words(300), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_index("ix_audit_time_us", "audit", ["time_us"])


def _instants() -> tuple[sa.Column[int], sa.Column[int]]:
    return (
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
    )
