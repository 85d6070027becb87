"""An engine with ONNX Runtime behind it, which repeats in float32 what comes out broken."""

from pathlib import Path

from edgesr import weights
from edgesr.artifacts.engine_files import FOLDER, find_fp32_model
from edgesr.artifacts.engine_manifest import EngineManifest
from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession
from edgesr.runtime.tensorrt_session import TensorRTSession


def open_engine(engine: Path, threads: int | None = None) -> TensorRTSession:
    """Open an engine, with ONNX Runtime behind it for tiles that come out broken.

    Args:
        engine: the engine.
        threads: CPU threads of the repeat; None: one for each core.

    Raises:
        EngineError: it does not fit its manifest or this machine, or cannot be loaded.
        MissingError: TensorRT or pycuda is not installed.
    """
    folders = dict.fromkeys((engine.parent, FOLDER, weights.FOLDER))
    onnx = find_fp32_model(EngineManifest.read(engine), folders)
    if onnx is None:
        return TensorRTSession(engine)
    model = onnx
    return TensorRTSession(engine, repeat=lambda: OnnxRuntimeSession(model, threads))
