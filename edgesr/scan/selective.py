"""The selective scan in the form that suits where it runs."""

import torch
from torch import Tensor

from edgesr.scan.chunked import selective_scan_chunked
from edgesr.scan.path import ScanPath


def selective_scan(
    x: Tensor,
    dt: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor,
    path: ScanPath | None = None,
) -> Tensor:
    """Run the scan in the form that suits where it runs; arguments as in `reference`.

    On a GPU for which they are built these are the fused kernels, anywhere else the chunked form.
    """
    if x.is_meta:
        return torch.empty_like(x)  # a tensor without values: only the shape is asked for
    if x.is_cuda:
        from edgesr.scan.fused import fused_available, selective_scan_fused

        if fused_available(x):
            return selective_scan_fused(x, dt, A, B, C, D, path)
    return selective_scan_chunked(x, dt, A, B, C, D, path)
