"""The selective scan: one specification (`reference`), several equal forms."""

import torch
from torch import Tensor

from edgesr.errors import ExportError
from edgesr.scan.chunked import selective_scan_chunked
from edgesr.scan.path import FORWARD, ScanPath
from edgesr.scan.reference import selective_scan_reference

__all__ = ["selective_scan", "selective_scan_chunked", "selective_scan_reference"]

ONNX_NODE = "edgesr::SelectiveScan"


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

    While exporting to ONNX this is one node, which edgesr.export replaces by standard operators; on
    a GPU for which they are built, the fused kernels; anywhere else the chunked form.
    """
    if torch.onnx.is_in_onnx_export():
        if path is not None and path.direction != FORWARD:
            raise ExportError("a scan is exported along rows only, forward")
        return torch.onnx.ops.symbolic(
            ONNX_NODE, (x, dt, A, B, C, D), dtype=x.dtype, shape=x.shape, version=1
        )
    if x.is_meta:
        return torch.empty_like(x)  # a tensor without values: only the shape is asked for
    if x.is_cuda:
        from edgesr.scan.fused import fused_available, selective_scan_fused

        if fused_available(x):
            return selective_scan_fused(x, dt, A, B, C, D, path)
    return selective_scan_chunked(x, dt, A, B, C, D, path)
