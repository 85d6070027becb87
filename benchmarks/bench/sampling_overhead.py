"""What sampling power costs the work that is measured: latency with and without, interleaved.

    python -m benchmarks.bench.sampling_overhead -o benchmarks/results/bench/sampling_overhead.json
    python -m benchmarks.bench.sampling_overhead --power tegrastats -o ...     (on a Jetson)

Blocks of calls alternate between sampling at 100 ms and none, in the order on-off-off-on, so that
drift hits both alike. For every pair of neighbouring blocks the ratio of the medians is taken; the
overhead is the median ratio minus one, its interval by order statistics holds in 95 of 100 runs.
That it is at most 1 % is shown only where the whole interval is: on a busy machine it is wider.
Away from a board `tegrastats` is the stand-in of the tests, which prints a recorded log of an Orin
Nano, and `hwmon` reads files laid out as the board's.
"""

import argparse
import math
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.shared.folders import ROOT
from edgesr.bench.environment import read_machine, read_state
from edgesr.bench.inputs import read_input
from edgesr.bench.statistics import times_of
from edgesr.bench.subject import BenchSubject, prepare
from edgesr.files import write_json
from edgesr.power.sampler import PowerSampler, open_sampler
from edgesr.runtime.select import open_session

TESTS = ROOT / "tests"
LOG = TESTS / "power/data/logs/orin_nano_maxn_super_100ms_tensorrt.txt"
RAILS = {1: ("VDD_IN", 5008, 1192), 2: ("VDD_CPU_GPU_CV", 5000, 96), 3: ("VDD_SOC", 5000, 274)}
SETTLE_S = 0.2
MOST = 0.01

Opener = Callable[[], AbstractContextManager[PowerSampler]]


def stand_ins(folder: Path, interval_s: float) -> dict[str, Opener]:
    """Return both samplers of a Jetson, without one."""
    (folder / "tegrastats").symlink_to(TESTS / "power/stand_in/tegrastats")
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"
    os.environ["STAND_IN_LOG"] = str(LOG)
    sensor = folder / "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon1"
    sensor.mkdir(parents=True)
    (sensor / "name").write_text("ina3221\n")
    for number, (label, millivolts, milliamps) in RAILS.items():
        (sensor / f"in{number}_label").write_text(f"{label}\n")
        (sensor / f"in{number}_input").write_text(f"{millivolts}\n")
        (sensor / f"curr{number}_input").write_text(f"{milliamps}\n")
    return {
        "tegrastats (stand-in)": lambda: open_sampler("tegrastats", interval_s),
        "hwmon (stand-in)": lambda: open_sampler("hwmon", interval_s, root=folder),
    }


def block(
    subject: BenchSubject, seconds: float, sampler: AbstractContextManager[object]
) -> np.ndarray:
    """Return the latencies in ms of calls for so many seconds."""
    latencies: list[float] = []
    with sampler:
        settled = time.monotonic() + SETTLE_S
        end = settled + seconds
        while (now := time.monotonic()) < end:
            timing = subject.sample(len(latencies))
            if now >= settled:
                latencies.append(timing.latency_ms)
    return np.array(latencies)


def measure(subject: BenchSubject, opener: Opener, pairs: int, seconds: float) -> dict[str, object]:
    """Return medians and the overhead of one sampler."""
    sampled: list[np.ndarray] = []
    bare: list[np.ndarray] = []
    for pair in range(pairs):
        for is_on in (True, False) if pair % 2 == 0 else (False, True):
            context = opener() if is_on else nullcontext()
            (sampled if is_on else bare).append(block(subject, seconds, context))
    ratios = np.sort([np.median(a) / np.median(b) for a, b in zip(sampled, bare, strict=True)])
    low, high = interval_of_median(len(ratios))
    on, off = times_of(np.concatenate(sampled)), times_of(np.concatenate(bare))
    return {
        "with_sampling_ms": asdict(on),
        "without_ms": asdict(off),
        "calls": [sum(map(len, sampled)), sum(map(len, bare))],
        "block_medians_with_ms": [round(float(np.median(part)), 5) for part in sampled],
        "block_medians_without_ms": [round(float(np.median(part)), 5) for part in bare],
        "overhead": round(float(np.median(ratios)) - 1, 5),
        "overhead_interval_95": [round(float(ratios[at]) - 1, 5) for at in (low, high)],
        "overhead_of_all_calls": round(on.p50 / off.p50 - 1, 5),
        "estimate_is_within_1_percent": bool(np.median(ratios) - 1 <= MOST),
        "interval_is_within_1_percent": bool(ratios[high] - 1 <= MOST),
    }


def interval_of_median(count: int) -> tuple[int, int]:
    """Return which sorted values enclose the median in 95 of 100 cases (binomial, exact)."""
    chances = [math.comb(count, k) / 2**count for k in range(count + 1)]
    low = 0
    while 2 * sum(chances[: low + 1]) <= 0.05:
        low += 1
    return max(low - 1, 0), count - 1 - max(low - 1, 0)


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--model", default="bicubic", help="network or .onnx file")
    parser.add_argument("--power", help="a sampler of this machine; default: the two stand-ins")
    parser.add_argument("--interval", type=float, default=100.0, help="ms")
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each block")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    interval_s = options.interval / 1000
    session = open_session(options.model, threads=options.threads)
    subject = prepare(session, read_input("64x64"), None)
    block(subject, 1.0, nullcontext())
    before = read_state()
    with tempfile.TemporaryDirectory() as folder:
        openers = stand_ins(Path(folder), interval_s)
        if options.power:
            openers = {options.power: lambda: open_sampler(options.power, interval_s)}
        results = {
            name: measure(subject, opener, options.pairs, options.seconds)
            for name, opener in openers.items()
        }
    command = f"python -m benchmarks.bench.sampling_overhead --model {Path(options.model).name}"
    write_json(
        options.output,
        {
            "command": f"{command} --pairs {options.pairs} --seconds {options.seconds:g}",
            "network": session.model,
            "backend": session.backend,
            "runs": subject.runs,
            "interval_ms": options.interval,
            "threads": options.threads,
            "machine": asdict(read_machine()),
            "before": asdict(before),
            "after": asdict(read_state()),
            "samplers": results,
        },
    )
    for name, result in results.items():
        print(f"{name}: overhead {result['overhead']:+.2%}, 95 % {result['overhead_interval_95']}")


if __name__ == "__main__":
    main()
