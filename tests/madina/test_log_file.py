"""A child's log file is bounded."""

from pathlib import Path

from madina.supervisor.log_file import RotatedFile


def test_a_full_file_becomes_the_older_one_and_only_two_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "gateway.log"
    file = RotatedFile(path, limit_bytes=10)
    for line in (b"first\n", b"second\n", b"third\n"):
        file.write(line)
    file.close()
    assert path.read_bytes() == b"third\n"
    assert path.with_name("gateway.log.1").read_bytes() == b"second\n"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_goes_on_where_the_last_process_left_it(tmp_path: Path) -> None:
    path = tmp_path / "node.log"
    for line in (b"before\n", b"after\n"):
        file = RotatedFile(path)
        file.write(line)
        file.close()
    assert path.read_bytes() == b"before\nafter\n"


def test_what_a_full_disk_does_not_take_is_counted_and_ends_nothing(tmp_path: Path) -> None:
    path = tmp_path / "node.log"
    path.symlink_to("/dev/full")
    file = RotatedFile(path)
    file.write(b"lost\n")
    file.write(b"lost too\n")
    path.unlink()
    file.write(b"kept\n")
    file.close()
    assert path.read_bytes() == b"14 bytes could not be written here\nkept\n"
