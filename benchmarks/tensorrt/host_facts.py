"""What a measurement on a GPU states about where and when it was made."""

import datetime
import os
import subprocess
from typing import Any

from edgesr.boards.gpu import Gpu


def host_facts(gpu: Gpu) -> dict[str, Any]:
    """Return device, compute capability, driver, CPU cores and date."""
    return {
        "device": gpu.name,
        "compute_capability": gpu.compute_capability,
        "driver": driver(),
        "cpu_cores": os.cpu_count(),
        "date": str(datetime.date.today()),
    }


def driver() -> str | None:
    """Return the version of the GPU's driver; None where nvidia-smi is missing or fails."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.splitlines()[0].strip()
