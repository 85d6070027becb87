"""Networks in ONNX Runtime, on the CPU: what runs everywhere without torch.

Tiles run side by side, each on one thread. On two cores the student takes 15 ms a tile so, and
23 ms with two threads in each operation of a single tile, which is ONNX Runtime's default
(benchmarks/results/tiles/threads.json).
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr.artifacts.onnx_file import EXPORT, FIRST_BYTE, check_content
from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.boards.free_memory import available_bytes
from edgesr.errors import MissingError, ModelError, shell
from edgesr.files import open_regular
from edgesr.onnx_runtime import EXACT_INT8, import_onnxruntime
from edgesr.runtime.model_shapes import check_independence, check_interface, check_output
from edgesr.runtime.onnxruntime_memory import bound, is_exceeded, least_bytes, memory_limit
from edgesr.runtime.time_limit import CallWatcher, limit_s

WEIGHTS = (".safetensors", ".pth", ".pt")
"""Endings of files that are no network yet, and become one by `edgesr export`."""

_one_at_a_time = threading.Lock()


class OnnxRuntimeSession:
    """An exported network, `edgesr.runtime.session.Session`.

    Args:
        path: the .onnx file; its manifest lies beside it.
        threads: tiles that run at the same time; None: as many as there are cores for us. A
            network of a fixed batch of several tiles shares them within the batch.

    Raises:
        MissingError: ONNX Runtime is not installed.
        ModelError: the file is missing, empty, no ONNX file, not the one its manifest describes,
            or not the network that it describes.
    """

    backend = "onnxruntime"

    def __init__(self, path: Path, threads: int | None = None) -> None:
        _check_is_onnx(path)
        self.manifest, content = OnnxManifest.load(path)
        constants = check_content(content, path, self.manifest.again())
        self._where = path
        self.model = self.manifest.network
        self.scale = self.manifest.scale
        self.tile: int | None = self.manifest.tile
        fixed = self.manifest.batch not in (None, 1)
        self.batch = self.manifest.batch if fixed else None
        threads = _cores() if threads is None else threads
        try:
            onnxruntime = import_onnxruntime()
        except ImportError as error:
            raise MissingError(
                "ONNX Runtime is not installed", fix="pip install onnxruntime"
            ) from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # its errors come as exceptions; a log would quote names raw
        options.intra_op_num_threads = threads if fixed else 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry(*EXACT_INT8)
        calls = self.batch if self.batch is not None else threads
        pixels = self.manifest.tile**2
        self._limit = memory_limit(pixels * calls, len(content), available_bytes())
        if least_bytes(pixels * (self.batch or 1), self.scale) > self._limit.bytes:
            raise self._does_not_fit()
        self._watcher = CallWatcher(limit_s(pixels * (self.batch or 1)))
        self._run_options = onnxruntime.RunOptions
        try:
            with _one_at_a_time:  # the bound is that of the next session in the process
                bound(options, self._limit)
                self._session = onnxruntime.InferenceSession(
                    content,
                    options,
                    providers=["CPUExecutionProvider"],
                    # What it works out while it loads a file, nothing bounds. A node that stays
                    # is worked out with each call, within the bounds of a call.
                    disabled_optimizers=None if constants.are_few else ["ConstantFolding"],
                )
        except Exception as error:  # its exceptions share no base class but this one
            raise self._failure("load", error) from error
        inputs = self._session.get_inputs()
        check_interface(inputs, self._session.get_outputs(), self.manifest, path)
        self._input = inputs[0].name
        if self.batch is not None:
            check_independence(self._run_alone, self.batch, self.manifest, path)
        self._pool = ThreadPoolExecutor(1 if fixed else threads)

    def run(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """Upscale tiles: (n, 3, h, w) RGB in [0, 1] -> (n, 3, scale*h, scale*w), not clipped.

        Raises:
            ModelError: the graph fails, or returns anything of another shape or type.
        """
        calls = [tiles] if self.batch is not None else np.split(tiles, len(tiles))
        options = [self._run_options() for _ in calls]
        try:
            return np.concatenate(list(self._pool.map(self._run_once, calls, options)))
        except BaseException:  # Ctrl-C, say: a call may go on for minutes, and is waited for
            for option in options:  # those of this picture only, and those that begin just now too
                option.terminate = True
            raise

    def _run_alone(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._run_once(tiles, self._run_options())

    def _run_once(self, tiles: NDArray[np.float32], options: Any) -> NDArray[np.float32]:
        given = {self._input: np.ascontiguousarray(tiles)}
        with self._watcher.watched(partial(setattr, options, "terminate", True)) as is_late:
            try:
                (enlarged,) = self._session.run(None, given, options)
            except Exception as error:
                raise self._failure("run", error, is_late()) from error
        return check_output(tiles, enlarged, self.manifest, self._where)

    def _failure(self, verb: str, error: Exception, is_late: bool = False) -> ModelError:
        if is_late:
            what = f"{self._watcher.most_s():.0f} s of a processor"
        elif is_exceeded(error) and self._limit.is_machines:
            return self._does_not_fit()
        elif is_exceeded(error):
            what = f"{self._limit.bytes >> 20} MiB"
        else:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            return self._wrong(f"ONNX Runtime cannot {verb} it ({reason})")
        return self._wrong(f"it takes more than the {what} that a network of its size may")

    def _does_not_fit(self) -> ModelError:
        tile, batch = self.manifest.tile, self.batch
        tiles = f"tile {tile}" if batch is None else f"tile {tile} and batch {batch}"
        return ModelError(
            f"its manifest says {tiles}, and that takes more than the {self._limit.bytes >> 20} "
            "MiB of memory that are free on this machine",
            where=self._where,
            fix=f"{self.manifest.again()} --tile 64, or --threads 1",
        )

    def _wrong(self, what: str) -> ModelError:
        return ModelError(what, where=self._where, fix=self.manifest.again())

    def close(self) -> None:
        """End the threads; the memory goes with the object."""
        self._pool.shutdown(cancel_futures=True)


def _cores() -> int:
    """Return the cores this process may use, which in a container are not all there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _check_is_onnx(path: Path) -> None:
    """Tell a file of another kind from an ONNX file that lost its manifest.

    Raises:
        ModelError: missing, a folder, empty or not ONNX.
    """
    try:
        with open_regular(path) as file:
            head = file.read(1)
    except OSError as error:
        raise ModelError(
            f"the model cannot be read ({error.strerror})", where=path, fix="edgesr models"
        ) from error
    if not head:
        raise ModelError("the file is empty", where=path, fix=EXPORT)
    if head != FIRST_BYTE:
        fix = f"{EXPORT} --weights {shell(path)}" if path.suffix in WEIGHTS else EXPORT
        raise ModelError("not an ONNX file", where=path, fix=fix)
