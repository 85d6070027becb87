r"""Time mamba-ssm's selective scan as gpu.py times ours, on the same host.

    pip download --no-deps --no-binary :all: mamba-ssm && tar xzf mamba_ssm-*.tar.gz
    python -m benchmarks.scan.peer mamba_ssm-*/csrc/selective_scan \
        --out benchmarks/results/scan/peer.json

nvcc compiles the kernels for the GPU at hand, with the flags of mamba-ssm's setup.py.
"""

import argparse
from pathlib import Path
from typing import Any

import torch
from torch.utils.cpp_extension import load

from benchmarks.scan.timing import CHANNELS, LENGTH, STATES, TIMED, Call, input_sets, timings
from edgesr.files import write_json

Inputs = tuple[torch.Tensor | None, ...]
FLAGS = [
    "-O3", "-std=c++17", "-U__CUDA_NO_HALF_OPERATORS__", "-U__CUDA_NO_HALF_CONVERSIONS__",
    "-U__CUDA_NO_BFLOAT16_OPERATORS__", "-U__CUDA_NO_BFLOAT16_CONVERSIONS__",
    "-U__CUDA_NO_BFLOAT162_OPERATORS__", "-U__CUDA_NO_BFLOAT162_CONVERSIONS__",
    "--expt-relaxed-constexpr", "--expt-extended-lambda", "--use_fast_math",
]  # fmt: skip


def build(source: Path) -> Any:
    """Compile the kernels, or load what an earlier run compiled."""
    sources = sorted(str(p) for p in source.glob("*.c*") if p.suffix in (".cpp", ".cu"))
    return load("selective_scan_cuda", sources, extra_cuda_cflags=FLAGS, verbose=True)


def time_scan(peer: Any, batch: int, dtype: str) -> dict[str, Any]:
    """Time forward and backward, without autograd around them; tensors lie as mamba-ssm wants."""
    kind = getattr(torch, dtype)
    forward: list[Call] = []
    backward: list[Call] = []
    for _ in range(input_sets(batch)):
        x = torch.randn(batch, CHANNELS, LENGTH, device="cuda").to(kind)
        dt = torch.empty(batch, CHANNELS, LENGTH, device="cuda").uniform_(-7, -2).exp().to(kind)
        a = -torch.empty(CHANNELS, STATES, device="cuda").uniform_(0.5, 16.0)
        b, c = torch.randn(2, batch, 1, STATES, LENGTH, device="cuda").to(kind)
        d = torch.randn(CHANNELS, device="cuda")
        out, states = peer.fwd(x, dt, a, b, c, d, None, None, False)[:2]
        dy = torch.randn_like(out)

        def run(inputs: Inputs = (x, dt, a, b, c, d, None, None)) -> object:
            return peer.fwd(*inputs, False)

        def back(
            inputs: Inputs = (x, dt, a, b, c, d, None, None, dy, states, None, None),
        ) -> object:
            return peer.bwd(*inputs, False, False)

        forward.append(run)
        backward.append(back)
    return {
        "batch": batch, "dtype": dtype, **timings("forward", forward),
        **timings("backward", backward),
    }  # fmt: skip


def main() -> None:
    """Compile, time, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("source", type=Path, help="csrc/selective_scan of mamba-ssm")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    peer = build(arguments.source)
    torch.manual_seed(0)
    times = []
    for case in TIMED:
        times.append(time_scan(peer, *case))
        torch.cuda.empty_cache()
        print(times[-1])
    report = {"device": torch.cuda.get_device_name(), "torch": torch.__version__, "times": times}
    write_json(arguments.out, report)


if __name__ == "__main__":
    main()
