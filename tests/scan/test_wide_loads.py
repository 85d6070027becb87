"""Kernels load rows of any fitting width in pieces of 16 bytes, seen in what Triton compiles.

No GPU is needed for that: Triton writes PTX for one that it is told of.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from edgesr.models import local_norm

pytest.importorskip("triton", reason="needs Triton")

HOPPER = 90
WHOLE = {"HEIGHT": 0, "WIDTH": 0, "BACKWARD": False, "EVEN": True}
PICTURE = {"HEIGHT": 64, "WIDTH": 64, "SIDE": 3}


def accesses(kernel: Any, values: Mapping[str, Any], float32: set[str], warps: int) -> Counter:
    """Count loads and stores of global memory by their kind.

    Tensors are bfloat16 unless named. What a kernel does not take as a `constexpr` it is told as a
    launch tells it: addresses and numbers are multiples of 16, but for values that are none.
    """
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    numbers = {"length", "segment", "db_block", "rows", "tiles", *values}
    signature, constants, aligned = {}, {}, {}
    for i, parameter in enumerate(kernel.params):
        name = parameter.name
        if parameter.is_constexpr:
            signature[name], constants[i,] = "constexpr", values[name]
            continue
        is_number = name in numbers or name.endswith("_batch")
        signature[name] = "i32" if is_number else "*fp32" if name in float32 else "*bf16"
        if values.get(name, 0) % 16 == 0:
            aligned[i,] = [["tt.divisibility", 16]]
    source = ASTSource(kernel, signature, constants, aligned)
    target = GPUTarget("cuda", HOPPER, 32)
    options = {"num_warps": warps, "num_stages": 1, "enable_fp_fusion": True}
    ptx = triton.compile(source, target=target, options=options).asm["ptx"]
    return Counter(re.findall(r"(?:ld|st)\.global[\w.:]*", ptx))


def convolution(channels: int, name: str) -> Counter:
    from edgesr.scan import fused_conv

    rows = {"dx_row" if name == "conv_input_gradient" else "x_row": 2 * channels}
    sizes = {"W": 4, "ROWS": 64, "BLOCK_E": 128, "channels": channels}
    float32 = {"weight", "bias", "dweight", "dbias"}
    return accesses(getattr(fused_conv, name), {**rows, **sizes, **WHOLE}, float32, 4)


def scan(channels: int, name: str) -> Counter:
    from edgesr.scan import fused_backward, fused_kernels

    kernel = getattr(fused_backward if name == "scan_backward" else fused_kernels, name)
    rows = {"x": channels, "dt": channels, "y": channels, "dy": channels, "dx": channels,
            "u": channels, "z": 2 * channels, "dz": 2 * channels, "b": 6, "c": 6, "w": 6,
            "db": 2}  # fmt: skip
    known = {f"{tensor}_row": row for tensor, row in rows.items()}
    known |= {f"{tensor}_col": 1 for tensor in rows}
    known |= {"channels": channels, "N": 1, "NP": 1, "BLOCK_E": 32, "K": 8, **WHOLE}
    known |= {"MASK": channels % 32 > 0, "MIXER": True, "SAVE": True, "SPLIT": True}
    known |= {"REVERSE": True, "TERMS": 0}
    float32 = {"bias", "a", "d", "states", "ends", "parts", "db", "dc"}
    return accesses(kernel, known, float32, 1)


def norm(channels: int, name: str) -> Counter:
    from edgesr.models import local_norm_kernels, token_norm_kernels

    known = {"width": channels, "epsilon": 1e-5, "BLOCK": 64, "ROWS": 64, "ADD": True}
    warps = 4
    if name.startswith("local"):
        share = local_norm.BACKWARD if name == "local_backward" else local_norm.FORWARD
        known |= {**PICTURE, "STRIP": share.strip(64), "DEPTH": share.depth}
        warps = share.warps
    kernel = getattr(local_norm_kernels if name.startswith("local") else token_norm_kernels, name)
    return accesses(kernel, known, set(kernel.arg_names) - {"y", "dy"}, warps)


@pytest.mark.parametrize(
    ("of", "name"),
    [
        (convolution, "conv_silu_forward"),
        (convolution, "conv_silu_gradients"),
        (convolution, "conv_input_gradient"),
        (scan, "scan_forward"),
        (scan, "segment_ends"),
        (scan, "scan_backward"),
    ],
)
def test_the_teachers_scan_loads_as_wide_as_one_of_a_power_of_two(of, name):
    assert of(120, name) == of(128, name)


@pytest.mark.parametrize(
    "name", ["norm_forward", "norm_backward", "local_norm_forward", "local_backward"]
)
def test_the_teachers_norms_load_no_channel_by_itself(name):
    of_60, of_64 = norm(60, name), norm(64, name)
    single = ("ld.global.b32", "ld.global.b16", "st.global.b32", "st.global.b16")
    assert {kind: of_60[kind] for kind in single} == {kind: of_64[kind] for kind in single}
    assert of_60["ld.global.v4.b32"] > 0
