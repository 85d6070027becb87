"""Feature affinity: how alike the places of a picture are to a network, compared between networks.

He, Dai, Lu, Jiang and Xia, "FAKD: feature-affinity based knowledge distillation for efficient image
super-resolution", ICIP 2020. With F (channels, places) the features of one picture, every place
brought to an L2 norm of 1, its affinity is F^T F (places, places); the loss is the mean absolute
difference between those of student and teacher. Channels drop out, so widths may differ.

An LR patch of 64x64 has 4,096 places, and 32 patches of them 2.1 GB of affinities a layer and
network. So features are first averaged over squares of `POOL` pixels: 256 places, 8 MB.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgesr.errors import Argument, ConfigError
from edgesr.models.network import SRNetwork, image

POOL = 4


@contextmanager
def features_of(layers: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """Collect the outputs of `layers`, in the order in which they run while the block does."""
    seen: list[Tensor] = []

    def keep(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        seen.append(output)

    handles = [layer.register_forward_hook(keep) for layer in layers]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def paired_layers(
    student: SRNetwork, teacher: SRNetwork
) -> tuple[tuple[nn.Module, ...], tuple[nn.Module, ...]]:
    """Return all layers of the student's body, and of the teacher's those at the same depth.

    Depths are shares of the body; the last layer is paired with the last. Bodies whose lengths
    differ may have the same layer of the teacher more than once, which is taken once for each.

    Raises:
        ConfigError: one of the networks names no layers of its body.
    """
    layers, theirs = student.body_layers(), teacher.body_layers()
    for role, found in (("student", layers), ("teacher", theirs)):
        if not found:
            raise ConfigError(
                f"the {role}'s network names no layers whose features could be compared",
                where=Argument("feature_affinity"),
                fix=f"a {role} of the families mambalitesr or smfanet, or --feature-affinity 0",
            )
    ours = len(layers)
    depths = [-(-(at + 1) * len(theirs) // ours) - 1 for at in range(ours)]
    return layers, tuple(theirs[depth] for depth in depths)


def affinity_loss(
    student: Sequence[Tensor], teacher: Sequence[Tensor], height: int, width: int
) -> Tensor:
    """Mean over the layers of the mean absolute difference between affinities.

    Args:
        student: features of its layers, each (batch, channels, height, width) or as tokens in
            raster order (batch, height*width, channels).
        teacher: as many; channels may differ.
        height: rows of the LR patch.
        width: its columns.

    Returns:
        A float32 scalar (float64 of float64 features); gradients reach the student's features.
    """
    differences = [
        (_affinity(ours, height, width) - _affinity(theirs, height, width)).abs().mean()
        for ours, theirs in zip(student, teacher, strict=True)
    ]
    return torch.stack(differences).mean()


def _affinity(features: Tensor, height: int, width: int) -> Tensor:
    """(batch, places, places): cosines between the pooled places of each picture."""
    if features.ndim == 3:
        features = image(features, height, width)
    features = features if features.dtype == torch.float64 else features.float()
    side = min(POOL, height, width)
    pooled = F.avg_pool2d(features, side, ceil_mode=True, count_include_pad=False)
    places = F.normalize(pooled.flatten(2), dim=1)  # (batch, channels, places)
    return places.transpose(1, 2) @ places
