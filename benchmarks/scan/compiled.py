"""What the compiler makes of the scan's kernels for an H200 (sm_90); needs no GPU.

    python -m benchmarks.scan.compiled --out benchmarks/results/scan/compiled.json

For B = 128, L = 4096, E = 64, N = 16: registers and spilled bytes of a thread, warp instructions
in the main loop for one time step, and the time they take if every scheduler (4 on each of 132
multiprocessors, 1.98 GHz) issues one in every cycle. That time is a lower bound, not a measurement.
"""

import argparse
import re
import subprocess
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from edgesr.files import write_json
from edgesr.scan import fused_launch
from edgesr.scan.fused_backward import scan_backward
from edgesr.scan.fused_kernels import scan_forward, segment_ends

BATCH, LENGTH, CHANNELS, STATES = 128, 4096, 64, 16
ISSUES_PER_S = 132 * 4 * 1.98e9
IN_INPUT_DTYPE = ["x", "dt", "b", "c", "z", "y", "u", "w", "dy", "dx", "ddt", "dz"]
IN_FLOAT32 = ["bias", "a", "d", "states", "ends", "parts", "db", "dc"]
TOOL = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"


def arguments_of(
    kernel: Any, dtype: str, mixer: bool, channels: int
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the types of a kernel's run-time arguments, and its compile-time values."""
    values = {
        "N": STATES, "NP": STATES, "BLOCK_E": channels, "K": fused_launch.CHUNK, "MASK": False,
        "SAVE": True, "SPLIT": False, "MIXER": mixer, "REVERSE": False,
        "TERMS": 1 if dtype == "bf16" else 3, "z_row": 2 * CHANNELS, "dz_row": 2 * CHANNELS,
        "b_row": 2 * STATES + 2, "c_row": 2 * STATES + 2, "w_row": 2 * STATES + 2,
        "db_row": 2 * STATES,
    }  # fmt: skip
    types = dict.fromkeys(IN_INPUT_DTYPE, f"*{dtype}") | dict.fromkeys(IN_FLOAT32, "*fp32")
    signature, constants = {}, {}
    for parameter in kernel.params:
        name = parameter.name
        if parameter.is_constexpr:
            default = 1 if name.endswith("_col") else CHANNELS
            signature[name], constants[name] = "constexpr", values.get(name, default)
        else:
            signature[name] = types.get(name, "i32")
    return signature, constants


def main_loop(sass: str) -> Counter[str]:
    """Count the instructions of the longest loop."""
    found = re.findall(r"/\*([0-9a-f]{4,6})\*/\s+(?:@!?U?P\w+\s+)?([A-Z][^;]*);", sass)
    lines = [(int(address, 16), text) for address, text in found]
    loops = []
    for address, text in lines:
        target = re.search(r"0x([0-9a-f]+)", text) if text.startswith("BRA") else None
        if target and int(target[1], 16) < address:
            loops.append((int(target[1], 16), address))
    first, last = max(loops, key=lambda loop: loop[1] - loop[0])
    return Counter(re.split(r"[. ]", t)[0] for a, t in lines if first <= a <= last)


def compiled(kernel: Any, dtype: str, mixer: bool, channels: int) -> dict[str, Any]:
    """Compile a kernel for sm_90 and report on it."""
    signature, constants = arguments_of(kernel, dtype, mixer, channels)
    # Pointers and sizes are multiples of 16, as they are at run time.
    aligned = {
        (i,): [["tt.divisibility", 16]] for i, p in enumerate(kernel.params) if not p.is_constexpr
    }
    warps = channels * STATES // fused_launch.STATES_PER_WARP
    binary = triton.compile(
        ASTSource(kernel, signature, constants, aligned),
        target=GPUTarget("cuda", 90, 32),
        options={"num_warps": warps, "num_stages": 1, "enable_fp_fusion": True},
    )
    with TemporaryDirectory() as folder:
        cubin = Path(folder, "kernel.cubin")
        cubin.write_bytes(binary.asm["cubin"])
        usage, sass = (
            subprocess.run([TOOL, option, cubin], check=True, capture_output=True, text=True).stdout
            for option in ("--dump-resource-usage", "-sass")
        )
    resources = re.search(r"REG:(\d+) STACK:(\d+)", usage)
    assert resources is not None
    counts = main_loop(sass)
    per_step = counts.total() / fused_launch.CHUNK
    warp_steps = BATCH * CHANNELS * STATES // fused_launch.STATES_PER_WARP * LENGTH
    return {
        "kernel": kernel.__name__, "dtype": dtype, "mixer": mixer, "channels": channels,
        "warps": warps, "registers": int(resources[1]), "stack_bytes": int(resources[2]),
        "instructions_per_step": per_step,
        "issue_bound_ms": warp_steps * per_step / ISSUES_PER_S * 1e3,
        "most": {name: count / fused_launch.CHUNK for name, count in counts.most_common(10)},
    }  # fmt: skip


def main() -> None:
    """Report on the kernels as launched, and on other numbers of channels in a program."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    rows = []
    for kernel in (scan_forward, scan_backward, segment_ends):
        for dtype, mixer, channels in [
            ("bf16", False, fused_launch.CHANNELS), ("fp32", False, fused_launch.CHANNELS),
            ("bf16", True, fused_launch.CHANNELS), ("bf16", True, 16), ("bf16", True, 64),
        ]:  # fmt: skip
            rows.append(compiled(kernel, dtype, mixer, channels))
            shown = {k: v for k, v in rows[-1].items() if k != "most"}
            print(
                *(f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in shown.items())
            )
    report = {"target": "sm_90", "triton": triton.__version__, "kernels": rows}
    write_json(out, report)


if __name__ == "__main__":
    main()
