"""Hourly roll-ups that a server of 2.x keeps by itself: a task, as 1.x has a continuous query.

Source: InfluxDB 2.7 documentation, "Process data with InfluxDB tasks" (options `every` and
`offset`) and "Downsample data"; Flux 0.x standard library, `aggregateWindow`. Written to it; no
server of 2.x was at hand, so this script has met none.
"""

from typing import Any, Final

from influxdb_client import TaskCreateRequest  # pyright: ignore[reportPrivateImportUsage]

from store.influx.observation_lines import OBSERVATIONS
from store.influx.points import ABOUT
from store.influx.rollups import AGGREGATES, HOURS, QUERY

__all__ = ["set_task", "task_script"]

# Late data change the hours of the last two days, as with 1.x.
FOR: Final = "2d"
EVERY: Final = "30m"


def set_task(tasks: Any, database: str, org: str, *, wanted: bool) -> list[str]:  # noqa: ANN401 - the client's
    """Make the task of a database, or end it; return what was done.

    Args:
        tasks: The client library's `TasksApi`.
        database: The bucket of the observations; `DATABASE/hours` has to be there.
        org: The organization that both are of.
        wanted: An ended task keeps what it has made.
    """
    name, script = f"{QUERY} {database}", task_script(database, org)
    known = [each for each in tasks.find_tasks(name=name, org=org) if each.name == name]
    if wanted and [each.flux for each in known] == [script]:
        return []
    for each in known:
        tasks.delete_task(each.id)
    if not wanted:
        return [f"task {name} ended"] if known else []
    tasks.create_task(task_create_request=TaskCreateRequest(flux=script, org=org, status="active"))
    return [f"task {name}: hourly {', '.join(AGGREGATES)} into {database}/{HOURS}, for ever"]


def task_script(database: str, org: str) -> str:
    """Return the task in Flux: fields `count_pm10`, `mean_pm10`, ... at the start of each hour."""
    about = "|".join(sorted(ABOUT))
    head = (
        f"option task = {{name: {_text(f'{QUERY} {database}')}, every: {EVERY}}}\n\n"
        f"values = from(bucket: {_text(database)})\n"
        f"    |> range(start: date.truncate(t: date.sub(d: {FOR}, from: now()), unit: 1h))\n"
        f'    |> filter(fn: (r) => r._measurement == "{OBSERVATIONS}")\n'
        # A failed value has a dot in its name, a text as well.
        f"    |> filter(fn: (r) => r._field !~ /^({about})$/ and r._field !~ /[.]/)\n"
    )
    return (
        'import "date"\n\n' + head + "".join(_aggregate(each, database, org) for each in AGGREGATES)
    )


def _aggregate(name: str, database: str, org: str) -> str:
    return (
        f"\nvalues\n"
        f'    |> aggregateWindow(every: 1h, fn: {name}, createEmpty: false, timeSrc: "_start")\n'
        f'    |> map(fn: (r) => ({{r with _field: "{name}_" + r._field}}))\n'
        f"    |> to(bucket: {_text(f'{database}/{HOURS}')}, org: {_text(org)})\n"
    )


def _text(value: str) -> str:
    """Write a string literal of Flux."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    return f'"{escaped}"'
