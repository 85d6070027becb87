"""How ONNX Runtime should use several cores for tiles: threads in an operation, or over tiles?

    python -m benchmarks.tiles.threads

Ways run in turns, so a disturbance of the machine hits all alike; processor time hardly depends on
other work, wall time does. Writes benchmarks/results/tiles/threads.json.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnxruntime as ort

from benchmarks.shared.folders import RESULTS
from edgesr.files import sha256, write_json
from edgesr.weights import shipped

OUTPUT = RESULTS / "tiles/threads.json"


def main() -> None:
    """Measure, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tiles", type=int, default=4)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    load_before = os.getloadavg()[0]
    path = shipped("student", 4, "onnx")
    tiles = np.random.default_rng(0).random((options.tiles, 3, 64, 64), np.float32)
    ways = make_ways(path, tiles, options.threads)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(options.runs):
        for name, way in ways.items():
            wall, processor = time.perf_counter(), time.process_time()
            way()
            spent = time.perf_counter() - wall, time.process_time() - processor
            times[name].append((1e3 * spent[0] / len(tiles), 1e3 * spent[1] / len(tiles)))
    rows = []
    for name, pairs in times.items():
        wall_ms, processor_ms = np.array(pairs).T
        rows.append(
            {
                "way": name,
                "wall_ms_per_tile_min": round(float(wall_ms.min()), 1),
                "wall_ms_per_tile_median": round(float(np.median(wall_ms)), 1),
                "processor_ms_per_tile_median": round(float(np.median(processor_ms)), 1),
            }
        )
        print(rows[-1])
    report = {
        "protocol": f"student x4, {len(tiles)} tiles of 64, {options.threads} threads, "
        f"{options.runs} runs in turns",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {load_before:.1f} at the "
        f"start, {os.getloadavg()[0]:.1f} at the end",
        "onnx_sha256": sha256(path),
        "onnxruntime": version("onnxruntime"),
        "rows": rows,
    }
    write_json(options.output, report)


def make_ways(path: Path, tiles: np.ndarray, threads: int) -> dict[str, Callable[[], object]]:
    """Return what is compared; each upscales all tiles once."""
    spinning, sleeping, alone = (
        load(path, threads, True), load(path, threads, False), load(path, 1, False)
    )  # fmt: skip
    pool = ThreadPoolExecutor(threads)

    def batches(session: ort.InferenceSession, size: int) -> Callable[[], object]:
        name = session.get_inputs()[0].name
        parts = [tiles[at : at + size] for at in range(0, len(tiles), size)]
        return lambda: [session.run(None, {name: part}) for part in parts]

    def side_by_side() -> object:
        name = alone.get_inputs()[0].name
        parts = np.split(tiles, len(tiles))
        return list(pool.map(lambda part: alone.run(None, {name: part}), parts))

    return {
        "one thread, a tile at a time": batches(alone, 1),
        "one thread, all tiles in a batch": batches(alone, len(tiles)),
        f"{threads} threads in an operation, spinning": batches(spinning, 1),
        f"{threads} threads in an operation, sleeping": batches(sleeping, 1),
        f"{threads} tiles side by side": side_by_side,
    }


def load(path: Path, threads: int, spin: bool) -> ort.InferenceSession:
    """Load the graph with `threads` threads in each operation."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spin else "0")
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    main()
