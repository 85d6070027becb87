"""The scripts of benchmarks/, and the recordings of the bench's tests, can be imported here."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
for folder in ("tests/bench", "benchmarks"):
    sys.path.append(str(ROOT / folder))
