"""Trees of files as the kernel lays them out for power sensors, and helpers for samplers."""

import time
from pathlib import Path
from typing import Any

ORIN_NANO = "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon1"
POWERCAP = "sys/class/powercap"


def write(root: Path, files: dict[str, object]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    return root


def wait_for_samples(sampler: Any, count: int) -> None:
    deadline = time.monotonic() + 20
    while len(sampler.samples()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def has_nvidia() -> bool:
    return Path("/proc/driver/nvidia/version").exists()
