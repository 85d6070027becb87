"""The paper's own figures, as a script reads them."""

import json
from typing import Any

from benchmarks.shared.folders import BENCHMARKS

PAPER: dict[str, Any] = json.loads((BENCHMARKS / "paper.json").read_text())
