"""Time a training step on a GPU, with the fused parts added one after the other.

    python -m benchmarks.scan.step --out benchmarks/results/scan/step.json

or the steps of several networks in turns, each replayed as a CUDA graph:

    python -m benchmarks.scan.step --model student --model teacher --batch 64 --out steps.json

One step is what `edgesr train` does on a GPU: forward under bfloat16 autocast, L1 loss, backward,
fused AdamW, on random patches, channels last. `scan` fuses the scan alone, `mixer` all between a
mixer's outer projections, `norm` the LayerNorm as well, and `graph` is `norm` replayed as a CUDA
graph, as `edgesr train` does it. The peak of memory is that of the step, the network and the
optimizer included.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.scan.timing import Call, median_ms
from edgesr.errors import EdgesrError
from edgesr.files import write_json
from edgesr.models.mamba import Mamba
from edgesr.models.registry import get_network
from edgesr.models.token_norm import TokenNorm
from edgesr.train.config import TrainConfig
from edgesr.train.gradient import Gradient
from edgesr.train.losses import LOSSES, Objective
from edgesr.train.optimizer import build_optimizer

LEVELS: dict[str, tuple[type[Mamba | TokenNorm], ...]] = {
    "scan": (Mamba, TokenNorm),
    "mixer": (TokenNorm,),
    "norm": (),
    "graph": (),
}
"""What is fused -> the layers whose own fused form is off."""
CASES = (
    ("student-paper", 128, tuple(LEVELS)),  # N = 16, as the peer's figure
    ("mambalitesr:D32-G4-B2-N4-SKIP", 128, tuple(LEVELS)),
    ("mambalitesr:D32-G4-B2-N1-SKIP", 128, tuple(LEVELS)),
    ("mambalitesr:D32-G4-B2-N1-SKIP", 16, ("norm", "graph")),
    ("mambalitesr:D60-G8-B2-N16-R30-SKIP", 32, tuple(LEVELS)),
    ("mambalitesr:D60-G8-B2-N16-R30-SKIP", 16, ("norm", "graph")),
)
ROUNDS, STEPS = 5, 6  # of the networks in turns: rounds over all, steps of one in a round
DEFAULT_BATCH = 128


def step(name: str, batch: int, level: str) -> Call:
    """Return a call that runs one training step of a network at scale 4 on 64x64 patches."""
    network = get_network(name).module(4)
    for layer in network.modules():
        if isinstance(layer, Mamba | TokenNorm):
            layer.fuse = not isinstance(layer, LEVELS[level])
    network.cuda()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    config = TrainConfig(data=Path(), out=Path())  # whose data is not read here
    gradient = Gradient(Objective(network, LOSSES[config.loss], "bf16"), record=level == "graph")
    optimizer = build_optimizer(config, network)
    lr, hr = (
        torch.rand(batch, 3, side, side, device="cuda").to(memory_format=torch.channels_last)
        for side in (64, 256)
    )

    def run() -> None:
        gradient(lr, hr)
        optimizer.step()

    return run


def measure(name: str, batch: int, level: str) -> dict[str, Any]:
    """Return milliseconds and peak memory of a step."""
    call = step(name, batch, level)
    call()
    torch.cuda.reset_peak_memory_stats()
    milliseconds = median_ms([call], repeats=15)
    # A graph holds its memory in a pool of its own, which is not counted as allocated.
    peak = None if level == "graph" else torch.cuda.max_memory_allocated() / 2**30
    return {"network": name, "batch": batch, "fused": level, "step_ms": milliseconds,
            "peak_memory_gib": peak}  # fmt: skip


def measure_in_turns(names: Sequence[str], batch: int, out: Path) -> None:
    """Time the recorded steps of networks in turns; write the result after every round."""
    calls = {}
    for name in names:
        began = time.perf_counter()
        calls[name] = step(name, batch, "graph")
        for _ in range(3):  # the first compiles and records
            calls[name]()
        torch.cuda.synchronize()
        print(f"{name}: ready after {time.perf_counter() - began:.0f} s", flush=True)
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(ROUNDS):
        for name, call in calls.items():
            began = time.perf_counter()
            for _ in range(STEPS):
                call()
            torch.cuda.synchronize()
            times[name].append((time.perf_counter() - began) / STEPS * 1e3)
            print(f"round {number + 1}: {name} {times[name][-1]:.2f} ms", flush=True)
        rows = [
            {"network": name, "batch": batch, "step_ms": statistics.median(found),
             "least_ms": min(found), "rounds": len(found)}
            for name, found in times.items()
        ]  # fmt: skip
        write_json(out, report(rows))


def report(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the document of a result."""
    return {"device": torch.cuda.get_device_name(), "torch": torch.__version__,
            "optimizer": TrainConfig(data=Path(), out=Path()).optimizer, "steps": rows}  # fmt: skip


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--profile", action="store_true", help="print the kernels of student-paper")
    parser.add_argument(
        "--model", action="append", default=[], metavar="NETWORK",
        help="time the recorded step of this network; with several, in turns",
    )  # fmt: skip
    parser.add_argument("--batch", type=int, default=DEFAULT_BATCH, help="with --model")
    return parser


def main(given: list[str] | None = None) -> None:
    """Measure every case, or the networks asked for; write JSON."""
    parser = build_parser()
    arguments = parser.parse_args(given)
    try:
        for name in arguments.model:
            get_network(name)
    except EdgesrError as error:
        parser.error(str(error))
    if arguments.batch < 1:
        parser.error(f"--batch: at least 1, not {arguments.batch}")
    if not torch.cuda.is_available():
        parser.error("a training step is timed on an NVIDIA GPU, and torch sees none")
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    if arguments.model:
        measure_in_turns(arguments.model, arguments.batch, arguments.out)
        return
    rows = []
    for name, batch, levels in CASES:
        for level in levels:
            rows.append(measure(name, batch, level))
            torch.cuda.empty_cache()
            print(*(f"{k} {v:.2f}" if isinstance(v, float) else v for k, v in rows[-1].items()),
                  flush=True)  # fmt: skip
    write_json(arguments.out, report(rows))
    if arguments.profile:
        call = step("student-paper", 128, "norm")
        call()
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
            call()
        table = profile.key_averages().table(sort_by="cuda_time_total", row_limit=30)
        print(table)


if __name__ == "__main__":
    main()
