"""An NVIDIA card of a PC: simulated, and a real one where there is one."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from sensor_trees import has_nvidia, wait_for_samples

from edgesr.errors import MissingError, PowerError
from edgesr.power import sampler_polling
from edgesr.power.sampler import open_sampler
from edgesr.power.sampler_nvml import nvml_sampler

CARDS = ["GPU-first", "GPU-second"]


class NvmlError(Exception):
    """As pynvml's."""


def simulated_nvml(has_instant: bool = True, power_fails_after: int = 10**9) -> Any:
    """The part of pynvml that is used, for a card of 70 W: there is none where tests run."""
    state = SimpleNamespace(reads=0, is_open=False)

    def power(_: object) -> int:
        state.reads += 1
        if state.reads > power_fails_after:
            raise NvmlError("GPU is lost")
        return 70000

    def fields(card: object, wanted: list[int]) -> list[Any]:
        value = SimpleNamespace(uiVal=power(card) + 500)
        return [SimpleNamespace(nvmlReturn=0 if has_instant else 3, value=value)]

    def handle(uuid: str) -> str:
        if uuid not in CARDS:
            raise NvmlError("Not Found")
        return uuid

    return SimpleNamespace(
        NVMLError=NvmlError,
        NVML_SUCCESS=0,
        NVML_FI_DEV_POWER_INSTANT=186,
        NVML_CLOCK_GRAPHICS=0,
        NVML_CLOCK_MEM=2,
        NVML_TEMPERATURE_GPU=0,
        nvmlInit=lambda: setattr(state, "is_open", True),
        nvmlShutdown=lambda: setattr(state, "is_open", False),
        nvmlDeviceGetHandleByIndex=CARDS.__getitem__,
        nvmlDeviceGetHandleByUUID=handle,
        nvmlDeviceGetIndex=CARDS.index,
        nvmlDeviceGetPowerUsage=power,
        nvmlDeviceGetFieldValues=fields,
        nvmlDeviceGetUtilizationRates=lambda _: SimpleNamespace(gpu=98, memory=40),
        nvmlDeviceGetClockInfo=lambda _, kind: {0: 1980, 2: 2619}[kind],
        nvmlDeviceGetTemperature=lambda *_: 55,
        state=state,
    )


@pytest.mark.parametrize(("has_instant", "power"), [(True, 70500), (False, 70000)])
def test_nvml(has_instant: bool, power: float) -> None:
    library = simulated_nvml(has_instant)
    sampler = nvml_sampler(0.01, library=library)
    sampler.start()
    wait_for_samples(sampler, 3)
    sampler.stop()
    sample = sampler.samples()[0]
    assert sample.rails_mw == {"gpu0": power}
    assert sample.loads_percent == {"gpu": 98, "memory": 40}
    assert sample.clocks_mhz == {"gpu": 1980, "memory": 2619}
    assert sampler.total.rails == ("gpu0",)
    assert (sampler.total.sensor_lag_s == 0) == has_instant
    assert not library.state.is_open


def test_nvml_card_that_is_lost_and_card_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sampler_polling, "GIVE_UP_S", 0.5)
    sampler = nvml_sampler(0.01, library=simulated_nvml(power_fails_after=4))
    sampler.start()
    deadline = time.monotonic() + 20
    while sampler.failure is None and time.monotonic() < deadline:
        time.sleep(0.01)
    sampler.stop()
    assert sampler.failure == "the card can no longer be read (GPU is lost)"
    with pytest.raises(MissingError, match="does not know GPU-third"):
        nvml_sampler(0.01, "GPU-third", simulated_nvml())
    with pytest.raises(PowerError, match="does not tell its power"):
        nvml_sampler(0.01, library=simulated_nvml(has_instant=False, power_fails_after=0))


def test_nvml_reads_the_card_that_cuda_computes_on() -> None:
    sampler = nvml_sampler(0.01, "GPU-second", simulated_nvml())
    sampler.start()
    wait_for_samples(sampler, 1)
    sampler.stop()
    assert sampler.total.rails == ("gpu1",)
    assert sampler.samples()[0].rails_mw.keys() == {"gpu1"}


@pytest.mark.skipif(has_nvidia(), reason="there is an NVIDIA driver")
def test_nvml_without_a_driver() -> None:
    pytest.importorskip("pynvml")
    with pytest.raises(MissingError, match="no NVIDIA driver answers"), open_sampler("nvml"):
        pass


@pytest.mark.skipif(not has_nvidia(), reason="no NVIDIA driver")
def test_nvml_of_a_real_card() -> None:
    pytest.importorskip("pynvml")
    with open_sampler("nvml", interval_s=0.05) as sampler:
        wait_for_samples(sampler, 5)
    (rail,) = sampler.total.rails
    assert all(1e3 < sample.rails_mw[rail] < 2e6 for sample in sampler.samples())
