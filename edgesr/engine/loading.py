"""Whether a package with compiled parts can really be loaded on this machine."""

import os
import signal
import subprocess
import sys

from edgesr.onnx_runtime import NO_TELEMETRY

_SYSTEM_LIBRARIES = {"cv2": "sudo apt install libgl1 libglib2.0-0"}
"""What to type where a library of the system is missing that a package's wheel does not bring."""


def load_failure(module: str) -> str | None:
    """Import a module in a process of its own, and return why that failed; None: it did not.

    A process of its own, because a library that was built for another processor ends the process
    that loads it. What is found in Python's path may still lack a library of the system, such as
    libGL, which the wheels of OpenCV link to and do not bring.

    Args:
        module: its import name.
    """
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}"],
        cwd=os.sep,  # nothing of that name in the user's folder
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env={NO_TELEMETRY: "1"} | os.environ,
    )
    if done.returncode == 0:
        return None
    if done.returncode < 0:
        return f"Python ends with {signal.Signals(-done.returncode).name}"
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"Python ends with status {done.returncode}"


def load_fix(module: str, reason: str) -> str | None:
    """Return what to type against a reason of `load_failure`; None: to install it again."""
    if "cannot open shared object file" in reason:
        return _SYSTEM_LIBRARIES.get(module)
    return None
