"""A codec folder is complete, so that adding a format is one self-contained act."""

from pathlib import Path

import pytest

CODECS = Path(__file__).parents[2] / "ingest" / "codecs"
FOLDERS = sorted(each.parent for each in CODECS.glob("*/codec.py"))


def test_there_is_at_least_one_codec() -> None:
    assert FOLDERS, f"no codec found under {CODECS}"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
@pytest.mark.parametrize("part", ["README.md", "__init__.py", "cases"])
def test_a_codec_folder_has_every_part(folder: Path, part: str) -> None:
    assert (folder / part).exists(), f"{folder.name} lacks {part}"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_readme_says_what_the_list_of_formats_needs(folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    name = folder.name.replace("_", "-")
    assert text.startswith(f"# {name}: "), f"begin with `# {name}: what it is called`"
    for fact in ("topic", "source"):
        assert f"\n- {fact}: " in text, f"a line `- {fact}: ...` is missing below the title"
