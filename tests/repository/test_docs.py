"""Documents are current, and what they point at is there."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]*)?\)")


def test_generated_parts_are_current() -> None:
    filling = subprocess.run(
        [sys.executable, ROOT / "scripts" / "fill_docs.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert filling.returncode == 0, f"run `make docs`: {filling.stdout}{filling.stderr}"


def test_links_lead_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("ingest/**/*.md")]
    broken = [
        f"{document.relative_to(ROOT)} -> {target}"
        for document in documents
        for target, _ in LINK.findall(document.read_text(encoding="utf-8"))
        if target and not (document.parent / target).exists()
    ]
    assert not broken, "links to files that are not there"
