"""Time a training step on a GPU, with the fused parts added one after the other.

    python benchmarks/step_gpu.py --out benchmarks/results/step_gpu.json

One step is what `edgesr train` does on a GPU: forward under bfloat16 autocast, L1 loss, backward,
Adam, on random patches, channels last. `scan` fuses the scan alone, `mixer` all between a mixer's
outer projections, `norm` the LayerNorm as well, and `graph` is `norm` replayed as a CUDA graph, as
`edgesr train` does it. The peak of memory is that of the step, the network and the optimizer
included.
"""

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from gpu_timing import Call, median_ms

from edgesr.files import write_json
from edgesr.models import mamba, token_norm
from edgesr.models.registry import get_network
from edgesr.train.gradient import Gradient
from edgesr.train.losses import Objective

LEVELS = {
    "scan": [mamba, token_norm],
    "mixer": [token_norm],
    "norm": [],
    "graph": [],
}  # modules whose fused form is off
CASES = (
    ("student-paper", 128, tuple(LEVELS)),  # N = 16, as the peer's figure
    ("mambalitesr:D32-G4-B2-N4-SKIP", 128, tuple(LEVELS)),
    ("mambalitesr:D32-G4-B2-N1-SKIP", 128, tuple(LEVELS)),
    ("mambalitesr:D32-G4-B2-N1-SKIP", 16, ("norm", "graph")),
    ("teacher", 32, tuple(LEVELS)),
    ("teacher", 16, ("norm", "graph")),
)


def step(name: str, batch: int, record: bool) -> Call:
    """Return a call that runs one training step of a network at scale 4 on 64x64 patches."""
    network = get_network(name).build(4).cuda().to(memory_format=torch.channels_last)
    gradient = Gradient(Objective(network, torch.nn.functional.l1_loss, "bf16"), record)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-4, fused=True)
    lr = torch.rand(batch, 3, 64, 64, device="cuda")
    hr = torch.rand(batch, 3, 256, 256, device="cuda")

    def run() -> None:
        gradient(lr, hr)
        optimizer.step()

    return run


def measure(name: str, batch: int, level: str) -> dict[str, Any]:
    """Return milliseconds and peak memory of a step."""
    with ExitStack() as stack:
        for module in LEVELS[level]:
            stack.enter_context(mock.patch.object(module, "fused_available", lambda _: False))
        call = step(name, batch, record=level == "graph")
        call()
        torch.cuda.reset_peak_memory_stats()
        milliseconds = median_ms([call], repeats=15)
        # A graph holds its memory in a pool of its own, which is not counted as allocated.
        peak = None if level == "graph" else torch.cuda.max_memory_allocated() / 2**30
    return {"network": name, "batch": batch, "fused": level, "step_ms": milliseconds,
            "peak_memory_gib": peak}  # fmt: skip


def main() -> None:
    """Measure every case; write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--profile", action="store_true", help="print the kernels of student-paper")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    rows = []
    for name, batch, levels in CASES:
        for level in levels:
            rows.append(measure(name, batch, level))
            torch.cuda.empty_cache()
            print(*(f"{k} {v:.2f}" if isinstance(v, float) else v for k, v in rows[-1].items()),
                  flush=True)  # fmt: skip
    report = {"device": torch.cuda.get_device_name(), "torch": torch.__version__, "steps": rows}
    write_json(arguments.out, report)
    if arguments.profile:
        call = step("student-paper", 128, record=False)
        call()
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
            call()
        table = profile.key_averages().table(sort_by="cuda_time_total", row_limit=30)
        print(table)


if __name__ == "__main__":
    main()
