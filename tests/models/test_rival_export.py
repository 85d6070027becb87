"""Every network without a scan through torch's own exporter: plain operators, equal values.

Scales and batches take turns; tests/cli/test_chain.py exports them for any batch at x4 every time
(of two that are of the same parts, one), so that here all but one of luma and one of colour are
long.
"""

from itertools import cycle
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from small_networks import SMALL

from edgesr.artifacts.onnx_file import check_content
from edgesr.export.allowed import check_no_loops, check_operators
from edgesr.export.torch_graph import INPUT, trace
from edgesr.models import get_network

ALWAYS = ("espcn", "smfanet:D36-B1")
CASES = [
    pytest.param(*case, marks=[pytest.mark.long] * (case[0] not in ALWAYS))
    for case in zip(SMALL, cycle([2, 3, 4]), cycle([1, None]), strict=False)
]


@pytest.mark.parametrize(("name", "scale", "batch"), CASES)
def test_it_exports_and_onnx_runtime_agrees(name: str, scale: int, batch: int | None) -> None:
    torch.manual_seed(0)
    network = get_network(name).module(scale).eval()
    model = trace(network, tile=12, batch=batch)
    check_operators(model)
    check_no_loops(model)
    assert {node.domain for node in model.graph.node} <= {""}
    check_content(model.SerializeToString(), Path("m.onnx"))  # what is exported can be opened

    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    for pictures in [1] if batch else [1, 3]:
        lr = torch.rand(pictures, 3, 12, 12)
        with torch.inference_mode():
            expected = network(lr).numpy()
        (ours,) = session.run(None, {INPUT: lr.numpy()})
        np.testing.assert_allclose(ours, expected, atol=1e-5)
