"""A setting that nothing reads is a promise that nobody keeps."""

import re
from pathlib import Path

import pytest

from madina.settings import Settings


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_is_read_somewhere(field: str, root: Path) -> None:
    sources = (path for path in (root / "madina").rglob("*.py") if path.name != "settings.py")
    used = re.compile(rf"\bsettings\.{field}\b")
    assert any(used.search(path.read_text(encoding="utf-8")) for path in sources)
