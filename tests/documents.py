"""What stands in blocks of the repository's Markdown pages, as a Markdown parser sees them.

A block that is indented, or fenced without a language, holds commands, as one fenced as `console`
does: nothing escapes by the way it is written. Anything else is fenced with its language.
"""

import subprocess
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]
PROMPTED = ("console", "")  # languages of fences with one command a line; "" is also indentation
OTHERS = ("python", "sh", "json", "text")


def pages() -> list[Path]:
    """Return all Markdown pages that git tracks, but the changelog, which tells of the past."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    paths = (ROOT / name for name in listed.stdout.splitlines() if name != "CHANGELOG.md")
    return sorted(path for path in paths if path.is_file())


def blocks(page: Path) -> list[tuple[str, str]]:
    """Return (language, text) of every block of code, the language of an indented one empty."""
    tokens = MarkdownIt().parse(page.read_text())
    found = [token for token in tokens if token.type in ("fence", "code_block")]
    return [(token.info.strip(), token.content) for token in found]


def commands(page: Path) -> list[str]:
    """Return the lines of all blocks that hold commands, in the order of the page."""
    lines = (text.splitlines() for language, text in blocks(page) if language in PROMPTED)
    return [line for block in lines for line in block if line]


def scripts(page: Path, language: str) -> list[str]:
    """Return the blocks of one language, each to be run as a whole."""
    return [text for kind, text in blocks(page) if kind == language]
