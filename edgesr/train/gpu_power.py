"""Mean power of the GPU between two readings, from NVML's energy counter.

The counter integrates on the card. The samplers of edgesr.power read from a thread, which would
compete with the training loop for the interpreter, and see only moments.
"""

import time
from typing import Any

import torch


class GpuPower:
    """Reads one device's energy counter; says None where there is no GPU or no NVML.

    Args:
        device: where the run computes.
    """

    def __init__(self, device: torch.device) -> None:
        self._handle: Any = None
        if device.type == "cuda":
            self._open(device)
        self._last = self._read()

    def _open(self, device: torch.device) -> None:
        try:
            import pynvml
        except ImportError:
            return
        try:
            pynvml.nvmlInit()
            # The index of a CUDA device is not NVML's when CUDA_VISIBLE_DEVICES hides some.
            uuid = torch.cuda.get_device_properties(device).uuid
            self._handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
            pynvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)
        except pynvml.NVMLError:
            self._handle = None

    def _read(self) -> tuple[float, float]:
        """Return (monotonic seconds, joules so far)."""
        if self._handle is None:
            return 0.0, 0.0
        import pynvml

        energy_mj = pynvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)
        return time.monotonic(), energy_mj / 1000

    def mean_w(self) -> float | None:
        """Return the mean power in W since the reading before."""
        if self._handle is None:
            return None
        before, self._last = self._last, self._read()
        seconds, joules = (now - then for now, then in zip(self._last, before, strict=True))
        return joules / seconds if seconds > 0 else None
