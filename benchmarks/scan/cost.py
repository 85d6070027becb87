"""What the mixers cost in ONNX Runtime, by size of the state.

Costs are over the same graph with the mixers taken out: half of their input is their output.

    python -m benchmarks.scan.cost                 # N = 16, 8, 4, 2, 1
    python -m benchmarks.scan.cost --engines       # and engine sizes by TensorRT for RTX (slow)

Graphs are run in turns, so a disturbance of the machine hits all of them alike; the processor time
of one thread is given too, which other programs on the machine change least. Weights are random:
time does not depend on them. Writes benchmarks/results/scan/cost.json.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, helper, inliner, numpy_helper

from benchmarks.shared.folders import RESULTS
from edgesr.export.fp16 import to_fp16
from edgesr.export.lower import define_mixers
from edgesr.export.mixer import is_mixer
from edgesr.export.parity import run_tiles
from edgesr.export.torch_graph import trace
from edgesr.files import write_json
from edgesr.imaging.patches import real_tiles
from edgesr.imaging.psnr import psnr_db
from edgesr.models import get_network

OUTPUT = RESULTS / "scan/cost.json"
STATES = (16, 8, 4, 2, 1)
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
    rows = [row for n in STATES for row in measure(n, options)]
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


def measure(n: int, options: argparse.Namespace) -> list[dict[str, object]]:
    """Return two rows for a network of state size n: without its mixers, and with them."""
    torch.manual_seed(0)
    network = get_network(options.network.format(n=n)).module(4).eval()
    single = define_mixers(trace(network, TILE, 1))
    typed = define_mixers(to_fp16(single)[0])
    models = [without_mixers(single), single]
    wall_ms = run_in_turns(models, options.runs, options.threads, time.perf_counter)
    cpu_ms = run_in_turns(models, options.runs // 2, 1, time.process_time)
    rows: list[dict[str, object]] = [
        {
            "N": n,
            "mixers": mixers,
            "median_ms": round(float(wall_ms[i]), 2),
            "ratio": round(float(wall_ms[i] / wall_ms[0]), 2),
            "cpu_ms": round(float(cpu_ms[i]), 2),
            "cpu_ratio": round(float(cpu_ms[i] / cpu_ms[0]), 2),
            "nodes": count_nodes(inliner.inline_local_functions(models[i]).graph),
            "file_bytes": models[i].ByteSize(),
        }
        for i, mixers in enumerate(("none", "compact"))
    ]
    exact, got = (run_tiles(model, [real_tiles(TILE)], 1)[0] for model in (single, typed))
    rows[1]["fp16_psnr_db"] = round(psnr_db(float(((got - exact) ** 2).mean())), 1)
    if options.engines:
        rows[1] |= build_engine(inliner.inline_local_functions(typed))
    return rows


def without_mixers(model: ModelProto) -> ModelProto:
    """Return the graph with the first half of each mixer's input in place of its output."""
    result = ModelProto()
    result.CopyFrom(model)
    del result.functions[:]
    constants = {tensor.name: tensor for tensor in result.graph.initializer}
    for name, value in (("zero", 0), ("channels", 2)):
        result.graph.initializer.append(numpy_helper.from_array(np.array([value]), name))
    for node in filter(is_mixer, result.graph.node):
        channels = constants[node.input[1]].dims[0]
        end = numpy_helper.from_array(np.array([channels]), f"{node.name}/end")
        result.graph.initializer.append(end)
        inputs = [node.input[0], "zero", end.name, "channels"]
        node.CopyFrom(helper.make_node("Slice", inputs, node.output, node.name))
    return result


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
