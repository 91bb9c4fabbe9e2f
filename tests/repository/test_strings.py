"""Nothing in the repository knows the machine it was written on."""

from pathlib import Path

import pytest

# Joined here, so that this file does not hold them itself.
FORBIDDEN = [
    "/wo" + "rk/",
    "../sha" + "red",
    "registry.npm" + "js.org",
    "pypi" + ".org/simple",
    "files.python" + "hosted.org",
    "--extra-index" + "-url",
]
ALLOWED = {("../sha" + "red", ".ci/run")}
BINARY = {".png", ".bin", ".in", ".ico", ".woff2"}


@pytest.mark.parametrize("forbidden", FORBIDDEN)
def test_no_file_names_a_place_that_others_do_not_have(
    forbidden: str, tracked: list[Path], root: Path
) -> None:
    found = [
        name
        for path in tracked
        if path.suffix not in BINARY
        if (name := str(path.relative_to(root))) and (forbidden, name) not in ALLOWED
        if forbidden.encode() in path.read_bytes()
    ]
    assert not found
