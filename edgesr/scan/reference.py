"""The selective scan as a plain loop over time: the specification of every other form.

For each sequence, channel d and state n, with h_0 = 0:

    h_t = exp(dt_t A) h_{t-1} + dt_t B_t x_t
    y_t = sum_n C_t h_t + D x_t

Source: Gu and Dao 2023, algorithm 2 (https://arxiv.org/abs/2312.00752), with the reference
implementation's Euler step for B (state-spaces/mamba, `selective_scan_ref`).
"""

import torch
from torch import Tensor

from edgesr.scan.path import ScanPath


def selective_scan_reference(
    x: Tensor,
    dt: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor,
    path: ScanPath | None = None,
) -> Tensor:
    """Run the scan one step at a time, in the dtype of the inputs.

    Args:
        x: (batch, L, E) input.
        dt: (batch, L, E) step sizes, positive (after softplus).
        A: (E, N) decay rates, negative.
        B: (batch, L, N) input weights.
        C: (batch, L, N) output weights.
        D: (E,) direct term.
        path: the token that each step reads and writes; None: step t is token t.

    Returns:
        (batch, L, E)
    """
    batch, length, channels = x.shape
    h = x.new_zeros(batch, channels, A.shape[1])
    outputs = list(x.unbind(1))
    for step_number in range(length):
        t = step_number if path is None else path.token(step_number)
        step = dt[:, t, :, None]  # (batch, E, 1)
        h = torch.exp(step * A) * h + step * x[:, t, :, None] * B[:, t, None, :]
        outputs[t] = (h * C[:, t, None, :]).sum(-1) + D * x[:, t]
    return torch.stack(outputs, dim=1)
