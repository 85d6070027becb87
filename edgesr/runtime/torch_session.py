"""Networks in torch, on the CPU or a GPU: any size, and networks that were never exported."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import Argument, ConfigError

if TYPE_CHECKING:
    from edgesr.models.network import SRNetwork


class TorchSession:
    """A torch network, `edgesr.runtime.session.Session`; takes pictures whole or in tiles.

    Args:
        network: in eval mode; it is moved to `device`.
        model: its name.
        device: `cpu`, `cuda` or `cuda:N`.
        threads: CPU threads of the whole process; None: torch's own choice.

    Raises:
        ConfigError: there is no such device.
    """

    backend = "torch"

    def __init__(
        self, network: "SRNetwork", model: str, device: str = "cpu", threads: int | None = None
    ) -> None:
        import torch

        if threads is not None:
            torch.set_num_threads(threads)
        self.model = model
        self.scale = network.scale
        self.tile: int | None = None
        self.batch: int | None = None
        try:
            self._network = network.to(device)
        except (RuntimeError, AssertionError) as error:
            raise ConfigError(
                f"torch has no device '{device}' here",
                where=Argument("device"),
                fix=Argument("device", "cpu"),
            ) from error
        self._device = device

    def run(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """Upscale tiles: (n, 3, h, w) RGB in [0, 1] -> (n, 3, scale*h, scale*w), not clipped."""
        import torch

        with torch.inference_mode():
            enlarged = self._network(torch.from_numpy(tiles).to(self._device))
        result: NDArray[np.float32] = enlarged.float().cpu().numpy()
        return result

    def close(self) -> None:
        """Nothing to give back: the memory goes with the network."""
