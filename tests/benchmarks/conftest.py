"""The recordings of the bench's tests can be imported here."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "bench"))
