"""What tests of the plugin share."""

from pathlib import Path

STAND_IN = Path(__file__).parent / "stand_in_tensorrt"
TENSORRT = "8.5.3.1"
WITHOUT = "edgesr build-engine -m student.onnx --board gpu --no-plugin"


def quiet(phase, done, total):
    """Take the builder's progress and show nothing."""
