"""Where things lie in a checkout, and how a result gets to its place."""

from pathlib import Path

from edgesr.files import make_folder, write_json

ROOT = Path(__file__).parents[2]
"""The checkout."""

BENCHMARKS = ROOT / "benchmarks"

RESULTS = BENCHMARKS / "results"
"""What was measured, in folders named as those of the scripts."""


def write_result(path: Path, document: object) -> None:
    """Write a result as JSON; the folders above it are made where they are missing."""
    make_folder(path.parent)
    write_json(path, document)
