"""What the selective scan costs in ONNX Runtime, by form and by size of the state.

Costs are over the same graph with the scan taken out (y = x + dt in its place).

    python benchmarks/scan_cost.py                 # forms at N = 16, then N = 8, 4, 2, 1
    python benchmarks/scan_cost.py --engines       # and engine sizes by TensorRT for RTX (slow)

Graphs are run in turns, so a disturbance of the machine hits all of them alike; the processor time
of one thread is given too, which other programs on the machine change least. Weights are random:
time does not depend on them. Writes benchmarks/results/scan_cost.json.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from edgesr.export.forms import FORMS, Form
from edgesr.export.tidy import tidy
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto

from edgesr.export.fp16 import to_fp16
from edgesr.export.lower import write_out
from edgesr.export.parity import psnr_db, run_tiles
from edgesr.export.patches import real_tiles
from edgesr.export.torch_graph import trace
from edgesr.files import write_json
from edgesr.models import get_network

OUTPUT = Path(__file__).parent / "results" / "scan_cost.json"
WITHOUT = Form("without scan", lambda g, scan, steps: g.add(scan.x, scan.dt), steps=0, board=True)
STEPS = {"unrolled": (8, 16, 32), "loop": (16,), "doubling": (16,)}
SWEPT = (8, 4, 2, 1)
TILE = 64


def main() -> None:
    """Measure, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--network", default="mambalitesr:D32-G4-B2-N{n}-SKIP")
    parser.add_argument("--engines", action="store_true", help="build TensorRT for RTX engines")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    load_before = os.getloadavg()[0]
    every = [replace(FORMS[name], steps=s) for name, all_s in STEPS.items() for s in all_s]
    rows = measure(16, every, options)
    for n in SWEPT:
        rows += measure(n, [FORMS["unrolled"], FORMS["loop"]], options)
    report = {
        "protocol": f"{options.network}, tile {TILE}, batch 1, {options.threads} threads, "
        f"median of {options.runs} runs, graphs in turns, ONNX Runtime CPU",
        "machine": f"{cpu_name()}, {os.cpu_count()} cores, load {load_before:.1f} at the start",
        "versions": {name: version(name) for name in ("onnxruntime", "torch", "onnx")},
        "rows": rows,
    }
    write_json(options.output, report)
    print(json.dumps(report["machine"]))
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items()))


def measure(n: int, forms: list[Form], options: argparse.Namespace) -> list[dict[str, object]]:
    """Return one row per form for a network of state size n, the graph without scan first."""
    torch.manual_seed(0)
    network = get_network(options.network.format(n=n)).module(4).eval()
    traced = tidy(trace(network, TILE, 1))
    halved, _ = to_fp16(traced)
    models = [write_out(traced, form) for form in (WITHOUT, *forms)]
    wall_ms = run_in_turns(models, options.runs, options.threads, time.perf_counter)
    cpu_ms = run_in_turns(models, options.runs // 2, 1, time.process_time)
    exact = run_tiles(models[1], [real_tiles(TILE)], 1)[0]
    rows = []
    for i, (form, model) in enumerate(zip((WITHOUT, *forms), models, strict=True)):
        row: dict[str, object] = {
            "N": n,
            "form": form.name,
            "steps": form.steps,
            "median_ms": round(float(wall_ms[i]), 2),
            "ratio": round(float(wall_ms[i] / wall_ms[0]), 2),
            "cpu_ms": round(float(cpu_ms[i]), 2),
            "cpu_ratio": round(float(cpu_ms[i] / cpu_ms[0]), 2),
            "nodes": count_nodes(model.graph),
            "file_bytes": model.ByteSize(),
        }
        if form is not WITHOUT:
            typed = write_out(halved, form)
            got = run_tiles(typed, [real_tiles(TILE)], 1)[0]
            row["fp16_psnr_db"] = round(psnr_db(float(((got - exact) ** 2).mean())), 1)
            if options.engines and n == 16 and form == FORMS[form.name]:
                row |= build_engine(typed)
        rows.append(row)
    return rows


def count_nodes(graph: GraphProto) -> int:
    """Return the number of nodes, those inside loops once each."""
    inner = [a.g for node in graph.node for a in node.attribute if a.HasField("g")]
    return len(graph.node) + sum(map(count_nodes, inner))


def run_in_turns(
    models: list[ModelProto], runs: int, threads: int, clock: Callable[[], float]
) -> NDArray[np.float64]:
    """Return the median of `runs` runs of every model in ms of `clock`, after three to warm up."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Else the idle threads of one session spin while the next is measured.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    sessions = [
        ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        for model in models
    ]
    feed = {"lr": real_tiles(TILE)[:1]}
    times: list[list[float]] = [[] for _ in sessions]
    for turn in range(runs + 3):
        for session, series in zip(sessions, times, strict=True):
            session.run(None, feed)  # brings this graph's weights back into the caches
            start = clock()
            session.run(None, feed)
            if turn >= 3:
                series.append((clock() - start) * 1e3)
    return np.median(times, axis=1)


def build_engine(model: ModelProto) -> dict[str, object]:
    """Build an engine with TensorRT for RTX; needs no GPU. Return its size and what it took."""
    import tensorrt_rtx as trt

    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(model.SerializeToString()):
        return {"engine_error": parser.get_error(0).desc()}
    start, cpu = time.perf_counter(), time.process_time()
    engine = builder.build_serialized_network(network, builder.create_builder_config())
    if engine is None:
        return {"engine_error": "not built"}
    return {
        "engine_bytes": engine.nbytes,
        "engine_layers": network.num_layers,
        "engine_build_s": round(time.perf_counter() - start, 1),
        "engine_build_cpu_s": round(time.process_time() - cpu, 1),
    }


def cpu_name() -> str:
    """Return the processor's name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


if __name__ == "__main__":
    main()
