"""Deletes observations by age. A retention policy does it cheaper: see `madina store provision`."""
# ruff: noqa: S608 - statements are put together from our names, numbers and written literals

from typing import Final

from store.influx.connection import DATA, Connection
from store.influx.line_protocol import identifier, literal
from store.influx.observation_lines import CONFLICTS, NS_PER_US, OBSERVATIONS
from store.influx.points import ABOUT

__all__ = ["expire"]

STATEMENTS: Final = 200


def expire(connection: Connection, before_us: int) -> int:
    """Delete what is older than an instant; return how many observations and conflicts.

    Raises:
        StoreBusyError: The server does not answer; what is left goes next time.
    """
    answers = connection.ask(
        DATA,
        f'SELECT count(*) FROM "{OBSERVATIONS}" WHERE time < {before_us * NS_PER_US}',
    )
    about = {f"count_{name}" for name in ABOUT}
    observations = sum(
        count
        for answer in answers
        for row in answer.rows()
        for name, count in row.items()
        if name.startswith("count_") and name not in about
    )
    if observations:
        connection.ask(DATA, f'DELETE FROM "{OBSERVATIONS}" WHERE time < {before_us * NS_PER_US}')
    return observations + _expire_conflicts(connection, before_us)


def _expire_conflicts(connection: Connection, before_us: int) -> int:
    """Delete conflicts one by one: they stand at their times of receipt."""
    answers = connection.ask(
        DATA,
        f'SELECT "at" FROM "{CONFLICTS}" WHERE "at" < {before_us} GROUP BY "device", "provider"',
    )
    statements = [
        f'DELETE FROM "{CONFLICTS}" WHERE time = {row["time"]}'
        + "".join(
            f" AND {identifier(name)} = {literal(value)}" for name, value in answer.tags.items()
        )
        for answer in answers
        for row in answer.rows()
    ]
    for start in range(0, len(statements), STATEMENTS):
        connection.ask_all(DATA, statements[start : start + STATEMENTS])
    return len(statements)
