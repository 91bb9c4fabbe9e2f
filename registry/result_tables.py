"""Tables of published numbers: their revisions, what arrived late, and who computes."""

from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from registry.tables import NUMBER, Tables, words

__all__ = ["ArrivalRow", "LeaseRow", "RevisionRow"]


class RevisionRow(Tables):
    """One revision of one published number; only `recorded_to_us` ever changes, and only once.

    `start_us` to `end_us` is when it is valid, `recorded_from_us` to `recorded_to_us` when it was
    what we said; the latest revision has no `recorded_to_us`.
    """

    __tablename__ = "indicator_revisions"
    __table_args__ = (
        UniqueConstraint("indicator", "version", "area", "start_us", "end_us", "revision"),
        Index("revisions_by_area", "indicator", "area", "grain", "start_us"),
        Index("revisions_by_time", "indicator", "grain", "start_us"),
    )

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    indicator: Mapped[str] = mapped_column(words(100))
    version: Mapped[str] = mapped_column(words(32))
    area: Mapped[str] = mapped_column(words(300))
    grain: Mapped[str] = mapped_column(words(8))
    start_us: Mapped[int]
    end_us: Mapped[int]
    known_us: Mapped[int]
    tz: Mapped[str] = mapped_column(words(64))
    revision: Mapped[int]
    recorded_from_us: Mapped[int]
    recorded_to_us: Mapped[int | None]
    value: Mapped[float | None]
    unrounded: Mapped[float | None]
    band: Mapped[str | None] = mapped_column(words(64))
    main_input: Mapped[str | None] = mapped_column(words(64))
    completeness: Mapped[float]
    n_used: Mapped[int]
    n_expected: Mapped[int]
    marks: Mapped[list[str]]
    reason: Mapped[str | None] = mapped_column(words(16))
    cause: Mapped[str | None] = mapped_column(words(16))
    numerator: Mapped[float | None]
    denominator: Mapped[float | None]
    inputs_hash: Mapped[str] = mapped_column(words(64))
    lineage: Mapped[dict[str, Any]]


class ArrivalRow(Tables):
    """Hours of series that a batch of observations touched after they may have been computed.

    It is written before the batch: it counts once the store's marks have reached `marks`.
    """

    __tablename__ = "indicator_arrivals"

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    written_us: Mapped[int]
    marks: Mapped[list[list[int]]] = mapped_column(JSON)
    cause: Mapped[str] = mapped_column(words(16))
    touched: Mapped[bytes] = mapped_column(LargeBinary)


class LeaseRow(Tables):
    """Which process does something that only one may do."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(words(32), primary_key=True)
    holder: Mapped[str] = mapped_column(words(64))
    until_us: Mapped[int]
