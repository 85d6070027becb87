"""The power of a training's GPU: a simulated card, and a real one where there is one."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from edgesr.train import gpu_power
from edgesr.train.gpu_power import GpuPower

CARD = torch.device("cuda", 1)


class NvmlError(Exception):
    """As pynvml's."""


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Any:
    """CUDA device 1 of a machine, and NVML with a clock and an energy counter set by hand."""
    state = SimpleNamespace(now_s=100.0, energy_mj=5_000_000, asked="", has_counter=True)

    def energy(_: object) -> int:
        if not state.has_counter:
            raise NvmlError("Not Supported")
        return state.energy_mj

    def handle(uuid: str) -> str:
        state.asked = uuid
        return "card"

    library = SimpleNamespace(
        NVMLError=NvmlError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=handle,
        nvmlDeviceGetTotalEnergyConsumption=energy,
    )
    monkeypatch.setitem(sys.modules, "pynvml", library)
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid=f"of-{device}")
    )
    monkeypatch.setattr(gpu_power.time, "monotonic", lambda: state.now_s)
    return state


def test_power_is_energy_over_time_since_the_reading_before(card: Any) -> None:
    power = GpuPower(CARD)
    assert card.asked == "GPU-of-cuda:1"  # not by index, which CUDA_VISIBLE_DEVICES shifts
    for seconds, joules in ((2.0, 700.0), (0.5, 60.0)):
        card.now_s += seconds
        card.energy_mj += round(1000 * joules)
        assert power.mean_w() == pytest.approx(joules / seconds)
    assert power.mean_w() is None  # no time has passed


def test_a_card_without_a_counter_and_a_cpu_have_no_power(card: Any) -> None:
    card.has_counter = False
    assert GpuPower(CARD).mean_w() is None
    assert GpuPower(torch.device("cpu")).mean_w() is None


def test_without_the_package_there_is_no_power(card: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert GpuPower(CARD).mean_w() is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA card")
def test_a_real_card_draws_more_than_nothing() -> None:
    pytest.importorskip("pynvml")
    power = GpuPower(torch.device("cuda", 0))
    matrix = torch.rand(4096, 4096, device="cuda")
    for _ in range(200):
        matrix = matrix @ matrix / 4096
    torch.cuda.synchronize()
    drawn_w = power.mean_w()
    assert drawn_w is not None and 10 < drawn_w < 2000
