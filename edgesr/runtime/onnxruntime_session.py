"""Networks in ONNX Runtime, on the CPU: what runs everywhere without torch."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import MissingError, ModelError
from edgesr.export.manifest import OnnxManifest

FIRST_BYTE = b"\x08"  # an ONNX file is a protobuf message that begins with its field ir_version


class OnnxRuntimeSession:
    """An exported network, `edgesr.runtime.session.Session`.

    Args:
        path: the .onnx file; its manifest lies beside it.
        threads: CPU threads; None: one for each core.

    Raises:
        MissingError: ONNX Runtime is not installed.
        ModelError: the file is missing, empty, no ONNX file, or not the one its manifest describes.
    """

    backend = "onnxruntime"

    def __init__(self, path: Path, threads: int | None = None) -> None:
        _check_is_onnx(path)
        self.manifest = OnnxManifest.read(path)
        self.model = self.manifest.network
        self.scale = self.manifest.scale
        self.tile: int | None = self.manifest.tile
        self.batch = self.manifest.batch
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingError(
                "ONNX Runtime is not installed", fix="pip install onnxruntime"
            ) from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = (
            3  # errors only: its warnings are about our graph, not the user
        )
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its exceptions share no base class but this one
            reason = str(error).splitlines()[0]
            raise ModelError(
                f"ONNX Runtime cannot load it ({reason})",
                where=path,
                fix=f"edgesr export -o {path}",
            ) from error
        self._input = self._session.get_inputs()[0].name

    def run(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """Upscale tiles: (n, 3, h, w) RGB in [0, 1] -> (n, 3, scale*h, scale*w), not clipped."""
        (enlarged,) = self._session.run(None, {self._input: np.ascontiguousarray(tiles)})
        return np.asarray(enlarged, np.float32)

    def close(self) -> None:
        """Nothing to give back: the memory goes with the object."""


def _check_is_onnx(path: Path) -> None:
    """Tell a file of another kind from an ONNX file that lost its manifest.

    Raises:
        ModelError: missing, a folder, empty or not ONNX.
    """
    try:
        with path.open("rb") as file:
            head = file.read(1)
    except OSError as error:
        raise ModelError(
            f"the model cannot be read ({error.strerror})", where=path, fix="edgesr models"
        ) from error
    if not head:
        raise ModelError("the file is empty", where=path, fix=f"edgesr export -o {path}")
    if head != FIRST_BYTE:
        raise ModelError("not an ONNX file", where=path, fix=f"edgesr export -o {path}")
