"""An engine with ONNX Runtime behind it, which repeats in float32 what comes out broken."""

from pathlib import Path

from edgesr import weights
from edgesr.artifacts import home
from edgesr.artifacts.engine_files import find_fp32_model
from edgesr.engine.find import ReadEngine, read_engine
from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession
from edgesr.runtime.tensorrt_session import TensorRTSession


def open_engine(engine: Path | ReadEngine, threads: int | None = None) -> TensorRTSession:
    """Open an engine, with ONNX Runtime behind it for tiles that come out broken.

    Args:
        engine: the engine, or one that was read already.
        threads: CPU threads of the repeat; None: one for each core.

    Raises:
        EngineError: it does not fit its manifest or this machine, or cannot be loaded.
        MissingError: TensorRT or pycuda is not installed.
    """
    read = engine if isinstance(engine, ReadEngine) else read_engine(engine)
    folders = dict.fromkeys((read.path.parent, home.exports(), weights.FOLDER))
    onnx = find_fp32_model(read.manifest, folders)
    if onnx is None:
        return TensorRTSession(read)
    model = onnx
    return TensorRTSession(read, repeat=lambda: OnnxRuntimeSession(model, threads))
