"""Time, layers and exactness of the engines in a folder, each called with one batch of noise.

    python -m benchmarks.tensorrt.engine_times FOLDER --out benchmarks/results/tensorrt/NAME.json

FOLDER holds engines with their manifests, as `edgesr build-engine` writes them and `edgesr verify`
completes them. Scores are taken where they lie beside an engine: NAME.tensorrt.json and
NAME.onnxruntime.json, what `edgesr eval -m NAME.onnx --backend ... --json` printed for the file.
`page.py` renders the result.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tensorrt.host_facts import host_facts
from edgesr.boards.gpu import first_gpu
from edgesr.errors import EdgesrError
from edgesr.files import make_folder, write_json
from edgesr.runtime.tensorrt_session import TensorRTSession

SCHEMA = "edgesr-engine-times/1"
WARM_UP, CALLS = 50, 400
FACTS = (
    "network", "scale", "tile", "batch", "precision", "onnx_sha256", "engine_sha256", "tensorrt",
    "parse_s", "build_s", "timing_cache", "layers", "verification",
)  # fmt: skip
"""What is taken over from the engine's manifest."""
Json = dict[str, Any]


def measure(engine: Path) -> Json:
    """Return medians of a call's time, on the GPU and from array to array, in milliseconds.

    Raises:
        EngineError: the engine cannot be loaded or run.
    """
    session = TensorRTSession(engine)
    side = session.manifest.tile
    shape = session.manifest.batch, 3, side, side
    tiles = np.random.default_rng(0).random(shape, dtype=np.float32)
    for _ in range(WARM_UP):
        session.run(tiles)
    host, device = [], []
    for _ in range(CALLS):
        start = time.perf_counter()
        session.run(tiles)
        host.append((time.perf_counter() - start) * 1e3)
        device.append(session.device_ms)
    found = {
        "host_ms": statistics.median(host),
        "device_ms": statistics.median(device),
        "device_min_ms": min(device),
        "graph": session.graph,
    }
    session.close()
    return found


def describe(engine: Path, measured: Json, built_at_once: int | None) -> Json:
    """Return an engine's row: its manifest's facts, what was measured, and the scores beside it.

    Args:
        engine: the .engine file; only its neighbours are read.
        measured: what `measure` returned of it.
        built_at_once: builds that ran side by side, this one among them; None: not known.
    """
    manifest = json.loads(engine.with_name(engine.name + ".json").read_text())
    return {
        "name": engine.stem,
        **{fact: manifest.get(fact) for fact in FACTS},
        "plugin": bool(manifest.get("plugin")),
        "layer_count": sum(sum(kinds.values()) for kinds in manifest["layers"].values()),
        "built_at_once": built_at_once,
        **measured,
        "scores": {
            backend: _scores(engine.with_name(f"{engine.stem}.{backend}.json"))
            for backend in ("tensorrt", "onnxruntime")
        },
    }


def _scores(file: Path) -> list[Json] | None:
    """Return PSNR and SSIM by set from the output of `edgesr eval --json`; None without it."""
    if not file.is_file():
        return None
    found = json.loads(file.read_text())
    return [
        {
            "set": item["protocol"]["dataset"],
            "run": item["protocol"]["run"],
            **{key: item[key] for key in ("images", "psnr_y_db", "ssim_y")},
        }
        for item in (found if isinstance(found, list) else [found])
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every engine of the folder; the exit status is 1 where one fails."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--built-at-once", type=int, help="builds that ran side by side")
    options = parser.parse_args(arguments)
    engines = sorted(options.folder.glob("*.engine"))
    if not engines:
        parser.error(f"{options.folder} holds no .engine file")
    gpu = first_gpu()
    if gpu is None:
        parser.exit(1, "error: the CUDA driver shows no GPU to measure\n")
    found: Json = {"schema": SCHEMA, **host_facts(gpu), "engines": [], "failed": {}}
    make_folder(options.out.parent)
    for engine in engines:
        try:
            row = describe(engine, measure(engine), options.built_at_once)
            found["engines"].append(row)
            print(f"{engine.name}: {row['device_ms']:.4f} ms, {row['host_ms']:.4f} ms host to host")
        except (EdgesrError, OSError) as problem:
            found["failed"][engine.stem] = str(problem)
            print(f"{engine.name}: {problem}", file=sys.stderr)
        write_json(options.out, found)
    return 1 if found["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
