"""edgesr: Mamba super-resolution for small boards."""

import os

__version__ = "0.2.0"

# ONNX Runtime's official builds send usage events to Microsoft unless told not to before they start
# (their Privacy.md). Somebody's photographs are no occasion for that; a value that is set is kept.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
