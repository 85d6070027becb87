"""Check and time the fused selective scan on a GPU.

    python -m benchmarks.scan.gpu --out benchmarks/results/scan/gpu.json

Errors are ||got - reference|| / ||reference|| against the plain loop in float64, inputs drawn
afresh for every case. The checks run in several processes, because most of their time is
compilation. Times are medians in milliseconds (timing.py) of calls that rotate over enough
input sets to exceed the L2 cache. peer.py times mamba-ssm's kernels the same way.
"""

import argparse
import math
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.scan.timing import CHANNELS, LENGTH, STATES, TIMED, Call, input_sets, timings
from edgesr.files import write_json
from edgesr.scan import fused_launch
from edgesr.scan.fused import selective_scan_fused
from edgesr.scan.reference import selective_scan_reference

Shape = tuple[int, int, int, int]  # batch, L, E, N
Inputs = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]
NAMES = ("x", "dt", "A", "B", "C", "D")
LIMITS = {"float32": 1e-5, "bfloat16": 1e-2, "float16": 1e-2}
CASES: list[tuple[Shape, str]] = [
    *(((2, 1, 8, 16), dtype) for dtype in LIMITS),
    *(((3, 37, 33, n), "float32") for n in (1, 2, 3, 5, 8, 16, 31, 32)),
    *(((1, 1000, 64, 16), dtype) for dtype in LIMITS),
    ((1, 4096, 64, 16), "float32"),
    ((128, 300, 64, 16), "bfloat16"),
    ((2, 2049, 120, 16), "float32"),
    ((1, 65536, 24, 16), "float32"),
    ((1, 65536, 24, 16), "bfloat16"),
]


def draw(shape: Shape, dtype: str) -> Inputs:
    """Return the six inputs laid out as in the mixer: B and C are slices of one projection."""
    batch, length, channels, states = shape
    kind = getattr(torch, dtype)
    x = torch.randn(batch, length, channels, device="cuda").to(kind)
    dt = torch.empty(batch, length, channels, device="cuda").uniform_(-7, -2).exp().to(kind)
    projected = torch.randn(batch, length, 2 + 2 * states, device="cuda").to(kind)
    b, c = projected[..., 2:].chunk(2, dim=-1)
    a = -torch.arange(1.0, states + 1, device="cuda").repeat(channels, 1)
    a *= torch.empty_like(a).uniform_(0.5, 1.5)
    return x, dt, a, b, c, torch.randn(channels, device="cuda")


def six(tensors: list[Tensor]) -> Inputs:
    """Return the inputs of a scan, of which there are as many as NAMES."""
    x, dt, a, b, c, d = tensors
    return x, dt, a, b, c, d


def relative_error(got: Tensor, want: Tensor) -> float:
    """Return ||got - want|| / ||want||; ||got|| where want is zero."""
    error: float = (got.double() - want).norm().item()
    return error / (float(want.norm().item()) or 1.0)


def check(case: tuple[Shape, str]) -> dict[str, Any]:
    """Compare the output and all six gradients with the reference in float64."""
    shape, dtype = case
    begun = time.perf_counter()
    inputs = draw(shape, dtype)
    leaves = [t.detach().requires_grad_() for t in inputs]
    exact = [t.detach().double().requires_grad_() for t in inputs]
    y = selective_scan_fused(*six(leaves))
    dy = torch.randn_like(y)
    y.backward(dy)  # type: ignore[no-untyped-call]
    want = selective_scan_reference(*six(exact))
    want.backward(dy.double())  # type: ignore[no-untyped-call]
    errors = {"y": relative_error(y, want)}
    for name, leaf, true in zip(NAMES, leaves, exact, strict=True):
        assert leaf.grad is not None
        assert true.grad is not None
        errors[f"d{name}"] = relative_error(leaf.grad, true.grad)
    ok = all(error < LIMITS[dtype] for error in errors.values())  # a NaN is not
    return {
        "shape": shape, "dtype": dtype, "errors": errors, "limit": LIMITS[dtype], "ok": ok,
        "seconds": time.perf_counter() - begun,
    }  # fmt: skip


def time_scan(batch: int, dtype: str) -> dict[str, Any]:
    """Time forward and backward, without autograd around them."""
    shape = (batch, LENGTH, CHANNELS, STATES)
    forward: list[Call] = []
    backward: list[Call] = []
    for _ in range(input_sets(batch)):
        scan = fused_launch.Scan(*draw(shape, dtype))
        y, states = fused_launch.forward(scan, save=True)
        assert states is not None  # they are saved
        dy = torch.randn_like(y)
        forward.append(partial(fused_launch.forward, scan, save=False))
        backward.append(partial(fused_launch.backward, scan, states, dy))
    segments = fused_launch.Cut.of(scan.x, STATES).segments
    return {
        "shape": shape, "dtype": dtype, "segments": segments,
        **timings("forward", forward), **timings("backward", backward),
    }  # fmt: skip


def main() -> None:
    """Run the checks, then the timings; write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--no-checks", action="store_true", help="time only")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    checks = []
    if not arguments.no_checks:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(12, os.cpu_count() or 1), context) as pool:
            for found in pool.map(check, CASES):
                checks.append(found)
                worst = max(
                    found["errors"].items(), key=lambda e: math.inf if e[1] != e[1] else e[1]
                )
                print("ok " if found["ok"] else "BAD", found["shape"], found["dtype"],
                      f"worst {worst[0]} {worst[1]:.1e} ({found['seconds']:.0f} s)",
                      flush=True)  # fmt: skip
    times = []
    for batch, dtype in TIMED:
        times.append(time_scan(batch, dtype))
        torch.cuda.empty_cache()
        print(*(f"{k} {v:.4f}" if isinstance(v, float) else v for k, v in times[-1].items()))
    report = {
        "device": torch.cuda.get_device_name(), "torch": torch.__version__,
        "checks": checks, "times": times,
    }  # fmt: skip
    write_json(arguments.out, report)


if __name__ == "__main__":
    main()
