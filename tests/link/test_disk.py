"""The reserve of the log's disk: devices wait before the disk is full."""

import shutil
from pathlib import Path

from city.backlog import Backlog
from link.disk import DiskReserve, look_at_disk


def test_devices_wait_while_the_disk_is_in_its_reserve(tmp_path: Path) -> None:
    backlog = Backlog(1_000)
    free_bytes = shutil.disk_usage(tmp_path).free
    seen: list[bool] = []
    for reserve_bytes in (free_bytes // 2, free_bytes * 2, free_bytes // 2):
        look_at_disk(DiskReserve(str(tmp_path), reserve_bytes), backlog)
        seen.append(backlog.full)
    assert seen == [False, True, False]
    assert backlog.turned_full == 1


def test_the_reason_names_the_reserve(tmp_path: Path) -> None:
    backlog = Backlog(1_000)
    look_at_disk(DiskReserve(str(tmp_path), 1 << 60), backlog)
    assert "the reserve is 1,099,511,627,776 MiB" in backlog.reason


def test_devices_wait_while_the_log_has_no_folder(tmp_path: Path) -> None:
    backlog = Backlog(1_000)
    look_at_disk(DiskReserve(str(tmp_path / "gone"), 0), backlog)
    assert "cannot be looked at" in backlog.reason


def test_a_closed_backlog_never_opens_again() -> None:
    backlog = Backlog(1_000)
    turned: list[bool] = []
    backlog.turned = lambda: turned.append(backlog.full)
    backlog.close()
    backlog.disk("")
    assert (backlog.full, backlog.reason, turned) == (True, "the gateway stops", [True])
