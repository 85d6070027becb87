"""Power of an NVIDIA card in a PC, through its driver's management library (NVML)."""

import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from edgesr.errors import MissingError, PowerError
from edgesr.power.board_rails import Total
from edgesr.power.sample import Sample
from edgesr.power.sampler_polling import PollingSampler

_MEAN_OF_S = 1.0
"""Since Ampere the plain reading is a mean over one second (NVML's documentation)."""


def nvml_sampler(
    interval_s: float, uuid: str | None = None, library: ModuleType | None = None
) -> PollingSampler:
    """Return a sampler of one card; its rail is `gpu0`, `gpu1`, ..., as NVML counts.

    CUDA counts cards in another order, the fastest first, and leaves out what
    CUDA_VISIBLE_DEVICES hides; so a card is known by its UUID.

    Args:
        interval_s: time between samples.
        uuid: of the card; None: the first one.
        library: stands in for `pynvml`.

    Raises:
        MissingError: no `pynvml`, no driver or no such card.
        PowerError: the card does not tell its power.
    """
    nvml: Any = library or _import()
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        raise MissingError(
            f"no NVIDIA driver answers ({error})", fix="nvidia-smi, or --power none"
        ) from error
    try:
        card = (
            nvml.nvmlDeviceGetHandleByIndex(0)
            if uuid is None
            else nvml.nvmlDeviceGetHandleByUUID(uuid)
        )
        rail = f"gpu{nvml.nvmlDeviceGetIndex(card)}"
    except nvml.NVMLError as error:
        raise MissingError(
            f"the driver's NVML does not know {uuid or 'any NVIDIA card'} ({error})",
            fix="nvidia-smi -L",
        ) from error
    power_mw, lag_s = _power_reader(nvml, card)

    def read() -> Sample:
        try:
            return _sample(nvml, card, rail, power_mw)
        except nvml.NVMLError as error:
            raise PowerError(f"the card can no longer be read ({error})") from error

    total = Total((rail,), lag_s)
    return PollingSampler("nvml", read, interval_s, total, close=nvml.nvmlShutdown)


def _import() -> Any:
    try:
        import pynvml
    except ImportError as error:
        raise MissingError(
            "the package nvidia-ml-py is not installed", fix="pip install 'edgesr[nvml]'"
        ) from error
    return pynvml


def _power_reader(nvml: Any, card: Any) -> tuple[Callable[[], float], float]:
    """Return how this card's power in mW is read, and its lag: momentary where it can be."""

    def momentary() -> float:
        (value,) = nvml.nvmlDeviceGetFieldValues(card, [nvml.NVML_FI_DEV_POWER_INSTANT])
        nvml_ok = value.nvmlReturn == nvml.NVML_SUCCESS
        if not nvml_ok:
            raise nvml.NVMLError(value.nvmlReturn)
        return float(value.value.uiVal)

    def mean() -> float:
        return float(nvml.nvmlDeviceGetPowerUsage(card))

    try:
        momentary()
        return momentary, 0.0
    except (nvml.NVMLError, AttributeError):
        pass
    try:
        mean()
        return mean, _MEAN_OF_S / 2
    except nvml.NVMLError as error:
        nvml.nvmlShutdown()
        raise PowerError(f"this NVIDIA card does not tell its power ({error})") from error


def _sample(nvml: Any, card: Any, rail: str, power_mw: Callable[[], float]) -> Sample:
    before = time.monotonic()
    power = power_mw()
    middle = (before + time.monotonic()) / 2
    load = nvml.nvmlDeviceGetUtilizationRates(card)
    return Sample(
        time_s=middle,
        rails_mw={rail: power},
        loads_percent={"gpu": load.gpu, "memory": load.memory},
        clocks_mhz={
            "gpu": nvml.nvmlDeviceGetClockInfo(card, nvml.NVML_CLOCK_GRAPHICS),
            "memory": nvml.nvmlDeviceGetClockInfo(card, nvml.NVML_CLOCK_MEM),
        },
        temperatures_c={"gpu": nvml.nvmlDeviceGetTemperature(card, nvml.NVML_TEMPERATURE_GPU)},
    )
