"""Where things lie in a checkout."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The checkout."""

BENCHMARKS = ROOT / "benchmarks"

RESULTS = BENCHMARKS / "results"
"""What was measured, in folders named as those of the scripts."""
