"""Check and time the fused selective scan on a GPU.

    PYTHONPATH=. python3 benchmarks/scan_gpu.py --out benchmarks/results/scan_gpu.json

Errors are ||got - reference|| / ||reference|| against the plain loop in float64, inputs drawn
afresh for every case. Times are medians in milliseconds, by CUDA events, of calls that rotate
over enough input sets to exceed the L2 cache; `graph` is the same call replayed as a CUDA graph,
which leaves the launch from Python out.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from edgesr.scan.fused import selective_scan_fused
from edgesr.scan.reference import selective_scan_reference

NAMES = ("x", "dt", "A", "B", "C", "D")
LIMITS = {torch.float32: 1e-5, torch.bfloat16: 1e-2, torch.float16: 1e-2}
# mamba-ssm's CUDA kernel on the same GPU: (batch, dtype) -> forward, backward in ms
PEER_MS = {
    (1, "float32"): (0.047, 0.105),
    (32, "float32"): (0.317, 0.820),
    (32, "bfloat16"): (0.151, 0.679),
    (128, "float32"): (1.213, 3.199),
    (128, "bfloat16"): (0.693, 2.839),
}


def draw(batch: int, length: int, channels: int, states: int, dtype: torch.dtype) -> list[Tensor]:
    """Return the six inputs laid out as in the mixer: B and C are slices of one projection."""
    options = {"device": "cuda"}
    x = torch.randn(batch, length, channels, **options).to(dtype)
    dt = torch.empty(batch, length, channels, **options).uniform_(-7, -2).exp().to(dtype)
    projected = torch.randn(batch, length, 2 + 2 * states, **options).to(dtype)
    b, c = projected[..., 2:].chunk(2, dim=-1)
    a = -torch.arange(1.0, states + 1, **options).repeat(channels, 1)
    a *= torch.empty_like(a).uniform_(0.5, 1.5)
    return [x, dt, a, b, c, torch.randn(channels, **options)]


def relative_error(got: Tensor, want: Tensor) -> float:
    """Return ||got - want|| / ||want||."""
    return ((got.double() - want).norm() / want.norm()).item()


def check(shape: tuple[int, int, int, int], dtype: torch.dtype) -> dict[str, Any]:
    """Compare the output and all six gradients with the reference in float64."""
    inputs = draw(*shape, dtype)
    leaves = [t.detach().requires_grad_() for t in inputs]
    exact = [t.detach().double().requires_grad_() for t in inputs]
    y = selective_scan_fused(*leaves)
    dy = torch.randn_like(y)
    y.backward(dy)
    want = selective_scan_reference(*exact)
    want.backward(dy.double())
    errors = {"y": relative_error(y, want)}
    for name, leaf, true in zip(NAMES, leaves, exact, strict=True):
        errors[f"d{name}"] = relative_error(leaf.grad, true.grad)
    worst = max(errors.values())
    return {
        "shape": shape, "dtype": str(dtype)[6:], "errors": errors,
        "worst": worst, "limit": LIMITS[dtype], "ok": worst < LIMITS[dtype],
    }  # fmt: skip


def median_ms(calls: list[Callable[[], object]], repeats: int = 50) -> float:
    """Return the median time of one call, rotating over the calls."""
    for call in calls * 3:
        call()
    times = []
    for i in range(repeats):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize()
        start.record()
        calls[i % len(calls)]()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end))
    return statistics.median(times)


def graphed(call: Callable[[], object]) -> Callable[[], object]:
    """Return a replay of the call as a CUDA graph."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph.replay


def time_scan(batch: int, dtype: torch.dtype) -> dict[str, Any]:
    """Time forward and backward at L = 4096, E = 64, N = 16."""
    shape = (batch, 4096, 64, 16)
    forward: list[Callable[[], object]] = []
    backward: list[Callable[[], object]] = []
    for _ in range(max(2, 32 // batch)):
        inputs = draw(*shape, dtype)
        leaves = [t.detach().requires_grad_() for t in inputs]
        y = selective_scan_fused(*leaves)
        dy = torch.randn_like(y)

        def run(inputs: list[Tensor] = inputs) -> object:
            with torch.no_grad():
                return selective_scan_fused(*inputs)

        def grad(y: Tensor = y, leaves: list[Tensor] = leaves, dy: Tensor = dy) -> object:
            return torch.autograd.grad(y, leaves, dy, retain_graph=True)

        forward.append(run)
        backward.append(grad)
    peer = PEER_MS.get((batch, str(dtype)[6:]), (None, None))
    return {
        "shape": shape, "dtype": str(dtype)[6:],
        "forward_ms": median_ms(forward),
        "forward_graph_ms": median_ms([graphed(call) for call in forward]),
        "backward_ms": median_ms(backward),
        "backward_graph_ms": median_ms([graphed(call) for call in backward]),
        "peer_forward_ms": peer[0], "peer_backward_ms": peer[1],
    }  # fmt: skip


def main() -> None:
    """Run the checks, then the timings; write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--long", action="store_true", help="check a length of 65,536 too")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    cases = [((2, 1, 8, 16), d) for d in LIMITS]
    cases += [((3, 37, 33, n), torch.float32) for n in (1, 2, 3, 5, 8, 16, 31, 32)]
    cases += [((1, 1000, 64, 16), d) for d in LIMITS]
    cases += [((128, 300, 64, 16), torch.bfloat16), ((2, 2049, 120, 16), torch.float32)]
    if arguments.long:
        cases += [((1, 65536, 24, 16), d) for d in (torch.float32, torch.bfloat16)]
    checks = []
    for shape, dtype in cases:
        begun = time.perf_counter()
        checks.append(check(shape, dtype))
        last = checks[-1]
        errors = " ".join(f"{k} {v:.1e}" for k, v in last["errors"].items())
        print("ok " if last["ok"] else "BAD", shape, last["dtype"], errors,
              f"({time.perf_counter() - begun:.1f} s)", flush=True)  # fmt: skip
    times = []
    for batch, dtype in [(1, torch.float32), (32, torch.bfloat16), (32, torch.float32),
                         (128, torch.bfloat16), (128, torch.float32)]:  # fmt: skip
        times.append(time_scan(batch, dtype))
        print(*(f"{k} {v:.3f}" if isinstance(v, float) else f"{v}" for k, v in times[-1].items()))
    device = torch.cuda.get_device_name()
    report = {"device": device, "torch": torch.__version__, "checks": checks, "times": times}
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
