"""The one place from which ONNX Runtime is imported."""

import os
from types import ModuleType

NO_TELEMETRY = "ORT_DISABLE_TELEMETRY"
"""Environment variable that tells ONNX Runtime not to report on its use."""

EXACT_INT8 = ("session.x64quantprecision", "1")
"""Entry of a session's configuration: int8 products are added up in 32 bits. Else x86 processors
without VNNI add pairs of them in 16 bits, and where the sum is too large it is another one."""


def import_onnxruntime() -> ModuleType:
    """Return the module `onnxruntime`, told not to report on its use.

    Its official builds send usage events to Microsoft unless an environment variable says otherwise
    before they start (their Privacy.md). Somebody's photographs are no occasion for that; a value
    that is set is kept.

    Raises:
        ImportError: it is not installed, or cannot be loaded.
    """
    os.environ.setdefault(NO_TELEMETRY, "1")
    import onnxruntime

    module: ModuleType = onnxruntime
    return module
