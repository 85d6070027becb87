"""Recordings with known figures: what a run on an Orin Nano could have left, made by hand."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgesr.bench.environment import Machine, MachineState
from edgesr.bench.raw_files import write_raw
from edgesr.bench.recording import (
    BenchModel,
    BenchSettings,
    Latencies,
    Power,
    Recording,
    Span,
    SpanKind,
)
from edgesr.bench.report import write_report
from edgesr.imaging.encode import encode, format_for
from edgesr.imaging.picture import Picture, read_picture
from edgesr.imaging.resize import imresize
from edgesr.power.board_rails import Total
from edgesr.power.sample import Sample

IDLE_MW, LOAD_MW, WORK_MW = 5000.0, 6000.0, (15000.0, 9000.0)
LATENCY_MS = (10.0, 20.0)
INTERVAL_S = 0.109

MACHINE = Machine(
    model="NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super",
    board="Jetson Orin Nano 8 GB",
    cpu=None,
    cpu_cores=6,
    memory_mib=7620,
    system="Linux 5.15.148-tegra",
    l4t="36.4.3",
    cuda="12.6.68",
    python="3.10.12",
    packages={"edgesr": "0.1.0", "numpy": "1.26.4"},
    mode_gpu_mhz=612,
)
STATE = MachineState(
    power_mode="15W",
    gpu_mhz=612,
    gpu_limit_mhz=612,
    cpu_mhz=1497.6,
    temperatures_c={"cpu-thermal": 48.5, "gpu-thermal": 49.25},
    throttle_events={"oc1": 0, "oc2": 0, "oc3": 3},
    throttling={},
    load_average=0.4,
)


def model(label: str, is_control: bool = False, backend: str = "tensorrt") -> BenchModel:
    return BenchModel(
        label=label,
        is_control=is_control,
        network=label,
        backend=backend,
        file=None,
        scale=4,
        tile=64,
        images=1,
        runs="1 patch of 64x64 to 256x256, one call",
        load_ms=812.0,
        first_image_ms=31.5,
        picture=f"{label}.png",
    )


def recording(
    rounds: int = 3,
    window_s: float = 12.0,
    latency_ms: Sequence[float] = LATENCY_MS,
    work_mw: Sequence[float] = WORK_MW,
    scatter: float = 0.0,
    seed: int = 0,
) -> Recording:
    """Two models in rounds: 10 s idle, then per window 1 s of warm-up and `window_s` of work."""
    random = np.random.default_rng(seed)
    spans = [Span(SpanKind.IDLE, 0.0, 10.0)]
    spans += [Span(SpanKind.LOAD, 10.0 + n, 11.0 + n, n) for n in range(2)]
    rows: list[tuple[float, ...]] = []
    at = 12.0
    for number in range(rounds):
        for place in range(2):
            index = (number + place) % 2
            spans.append(Span(SpanKind.WARM_UP, at, at + 1, index, number, 20))
            at += 1
            speed = latency_ms[index] * (1 + scatter * random.standard_normal())
            count = round(1000 * window_s / speed)
            rows += [
                (index, number, at + n * speed / 1000, speed, 0.9 * speed, 0.8 * speed)
                for n in range(count)
            ]
            spans.append(Span(SpanKind.MEASURED, at, at + window_s, index, number, count))
            at += window_s
    return Recording(
        settings=BenchSettings(
            command="edgesr bench --model student --samples 1000",
            input="5 bundled photographs",
            width=64,
            height=64,
            samples=1000,
            warmup=20,
            rounds=rounds,
            window_s=window_s,
            idle_s=10.0,
        ),
        started="2026-11-23T09:00:00+00:00",
        interrupted=False,
        machine=MACHINE,
        before=STATE,
        after=replace(STATE, temperatures_c={"cpu-thermal": 51.0, "gpu-thermal": 53.5}),
        models=(model("student"), model("bicubic", is_control=True, backend="numpy")),
        spans=tuple(spans),
        power=Power("tegrastats", 0.1, 0.0, Total(("VDD_IN",), 0.3), None),
        latencies=Latencies.from_rows(rows),
        samples=tuple(_samples(spans, at, work_mw)),
        input_picture="input.png",
    )


def _samples(spans: Sequence[Span], end_s: float, work_mw: Sequence[float]) -> list[Sample]:
    """Power of each span's kind, GPU at 612 MHz; loads as the kind has them."""
    found = []
    for time_s in np.arange(0.0, end_s + 1.0, INTERVAL_S):
        span = next((s for s in spans if s.start_s <= time_s < s.end_s), None)
        power, gpu, cpu = IDLE_MW, 0.0, 2.0
        if span is not None and span.model is not None:
            works = span.kind is not SpanKind.LOAD
            power = work_mw[span.model] if works else LOAD_MW
            gpu, cpu = (99.0, 30.0) if span.model == 0 else (0.0, 99.0)
        found.append(
            Sample(
                time_s=float(time_s),
                rails_mw={"VDD_IN": power, "VDD_SOC": power / 5},
                loads_percent={"gpu": gpu, "cpu0": cpu},
                clocks_mhz={"gpu": 612.0, "cpu0": 1497.0},
            )
        )
    return found


def pictures(photo: Path) -> dict[str, bytes]:
    """Return the PNG files of `recording`: 24x16 pixels of a photo, and bicubic and repeated x4."""
    colour = read_picture(photo).colour[40:56, 60:84]
    enlarged = imresize(colour, 4)
    repeated = colour.repeat(4, axis=0).repeat(4, axis=1)
    named = {"input.png": colour, "bicubic.png": enlarged, "student.png": repeated}
    return {name: encode(Picture(c), format_for(".png"))[0] for name, c in named.items()}


if __name__ == "__main__":  # python recordings.py FOLDER writes the run of tests/bench/data
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    small = recording(rounds=4, window_s=2.4, latency_ms=(20.0, 40.0), scatter=0.02)
    write_raw(folder, small, pictures(Path(__file__).parents[1] / "data/photo.png"))
    write_report(folder)
