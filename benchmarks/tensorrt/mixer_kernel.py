"""The plugin's kernel on a GPU: against a float64 loop, and its time beside the fused Triton mixer.

    python -m benchmarks.tensorrt.mixer_kernel                   # compiles the kernel with nvcc
    python -m benchmarks.tensorrt.mixer_kernel --library FILE    # a library that was compiled
    python -m benchmarks.tensorrt.mixer_kernel --builds all      # and other settings beside it

Needs torch with a GPU, and no TensorRT: the kernel is called through the library's C symbols.
Writes benchmarks/results/tensorrt/mixer_kernel.json; `page.py` renders results.
"""

import argparse
import ctypes
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.scan.timing import events
from benchmarks.shared.folders import RESULTS
from benchmarks.tensorrt.host_facts import host_facts
from benchmarks.tensorrt.mixer_cases import (
    NAMES,
    STUDENT,
    TEACHER,
    Case,
    cases,
    draw,
    error,
    reference,
)
from benchmarks.tensorrt.mixer_library import BUILDS, SHIPPED, compile_build, load
from benchmarks.tensorrt.norm_kernel import check_norms, norm_times
from edgesr.boards.gpu import first_gpu
from edgesr.engine.nvcc import find_nvcc
from edgesr.errors import EdgesrError, EngineError
from edgesr.files import make_folder, write_json
from edgesr.scan.fused_mixer import MixerWeights, fused_mixer
from edgesr.scan.path import Direction, ScanPath

SCHEMA = "edgesr-mixer-kernel/1"
RESULT = RESULTS / "tensorrt/mixer_kernel.json"
LAUNCHES, REPLAYS = 20, 100
UNIT = f"microseconds a launch; median of {REPLAYS} replays of a CUDA graph of {LAUNCHES}"
WARPS, GROUPS = (2, 4, 8), (8, 16, 32)
STREAMS, ROUNDS = 4, 200
GUARD = 256  # bytes behind the workspace that must stay as they are
Json = dict[str, Any]


@dataclass
class Launch:
    """A mixer on a device, ready to be launched; the tensors live as long as this does."""

    library: ctypes.CDLL
    case: Case
    inputs: list[torch.Tensor]
    y: torch.Tensor
    workspace: torch.Tensor
    needed: int
    warps: int
    group: int

    def __call__(self, stream: int | None = None) -> None:
        """Enqueue it; without `stream` on torch's current one.

        Raises:
            EngineError: the launch failed.
        """
        if stream is None and self.y.is_cuda:
            stream = torch.cuda.current_stream().cuda_stream
        tensors = (*self.inputs, self.y, self.workspace)
        addresses = (ctypes.c_void_p * 10)(*(tensor.data_ptr() for tensor in tensors))
        failed = self.library.edgesr_mixer_launch(
            addresses, sizes(self.case), self.warps, self.group, ctypes.c_void_p(stream)
        )
        if failed:
            raise EngineError(f"the launch failed with CUDA's error {failed}", where=self.case)


def sizes(case: Case) -> Any:
    """Return the sizes as the library takes them."""
    return (ctypes.c_int * 10)(
        case.batch, case.height, case.width, case.channels, case.states, case.rank, case.taps,
        case.columns, case.reverse, case.half,
    )  # fmt: skip


def prepare(
    library: ctypes.CDLL, case: Case, device: str, warps: int = 0, group: int = 0
) -> tuple[Launch, Callable[[], Any]]:
    """Return a launch, and what computes its expected output on the CPU."""
    xz, weights = draw(case)
    arrays = (xz, *(weights[name] for name in NAMES))
    inputs = [torch.from_numpy(array).to(device) for array in arrays]
    shape = case.batch, case.length, case.channels
    y = torch.full(shape, float("nan"), dtype=inputs[0].dtype, device=device)
    needed = library.edgesr_mixer_workspace(sizes(case), warps, group)
    workspace = torch.full((needed + GUARD,), 7, dtype=torch.uint8, device=device)
    launch = Launch(library, case, inputs, y, workspace, needed, warps, group)
    return launch, lambda: reference(case, xz, weights)


def judge(library: ctypes.CDLL, case: Case, device: str) -> Json:
    """Return a case's error, and whether it is within its bound and every launch gave its bits."""
    launch, expected = prepare(library, case, device)
    outputs = []
    for _ in range(case.repeat):
        launch.y.fill_(float("nan"))
        launch()
        outputs.append(launch.y.cpu())  # waits for the launch
    same = all(output.numpy().tobytes() == outputs[0].numpy().tobytes() for output in outputs)
    kept = bool((launch.workspace[launch.needed :] == 7).all())
    found = error(outputs[0].double().numpy(), expected())
    return {
        **asdict(case), "error": found, "same_bits": same,
        "ok": found < case.bound and same and kept,
    }  # fmt: skip


def check(library: ctypes.CDLL, wanted: Sequence[Case], device: str) -> Json:
    """Return what became of all cases; the first nine, the large ones, each by itself."""
    began = time.monotonic()
    rows = [judge(library, case, device) for case in wanted]
    worst = {half: max((r["error"] for r in rows if r["half"] == half), default=None)
             for half in (False, True)}  # fmt: skip
    return {
        "cases": len(rows),
        "failed": [row for row in rows if not row["ok"]],
        "worst_fp32": worst[False],
        "worst_fp16": worst[True],
        "concurrent": concurrent(library) if device == "cuda" else None,
        "first": rows[:9],
        "seconds": time.monotonic() - began,
    }


def concurrent(library: ctypes.CDLL) -> Json:
    """Return how often launches on several streams at once gave other bits than alone."""
    pairs = []
    for seed in range(STREAMS):
        launch, _ = prepare(library, replace(STUDENT, seed=seed), "cuda")
        pairs.append((launch, torch.cuda.Stream()))  # type: ignore[no-untyped-call]
    torch.cuda.synchronize()
    alone = []
    for launch, stream in pairs:
        launch(stream.cuda_stream)
        stream.synchronize()
        alone.append(launch.y.clone())
    different = 0
    for _ in range(ROUNDS):
        for launch, _ in pairs:
            launch.y.zero_()
        torch.cuda.synchronize()
        for launch, stream in pairs:
            launch(stream.cuda_stream)
        torch.cuda.synchronize()
        found = zip(alone, pairs, strict=True)
        different += sum(not torch.equal(bits, launch.y) for bits, (launch, _) in found)
    return {"rounds": ROUNDS, "streams": STREAMS, "different": different}


def graph_us(call: Callable[[], object]) -> float:
    """Return the time of one of many calls in a CUDA graph, in microseconds."""
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        call()
        side.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=side):
            for _ in range(LAUNCHES):
                call()
        for _ in range(5):
            graph.replay()
        times: list[float] = []
        for _ in range(REPLAYS):
            start, end = events()
            start.record()
            graph.replay()
            end.record()
            end.synchronize()
            times.append(start.elapsed_time(end) * 1000 / LAUNCHES)
    return statistics.median(times)


def timed(build: str, library: ctypes.CDLL, case: Case, warps: int = 0, group: int = 0) -> Json:
    """Return the time of a case; warps, group: 0 for the kernel's own choice."""
    launch, _ = prepare(library, case, "cuda", warps, group)
    return {
        "build": build, **_named(case), "warps": warps, "group": group,
        "us": graph_us(launch), "workspace_bytes": launch.needed,
    }  # fmt: skip


def times(build: str, library: ctypes.CDLL) -> Iterator[Json]:
    """Measure a build: the student by warps and groups, then other sizes by its own choice."""
    for half in (False, True):
        for warps in (*WARPS, 16) if build.endswith("512") else WARPS:
            for group in GROUPS:
                yield timed(build, library, replace(STUDENT, half=half), warps, group)
    for half in (False, True):
        yield timed(build, library, replace(TEACHER, half=half))
    yield timed(build, library, replace(STUDENT, height=256, width=256))
    yield timed(build, library, replace(STUDENT, batch=8, half=True))
    yield timed(build, library, replace(STUDENT, columns=True, reverse=True))


def triton(case: Case) -> Json:
    """Return the time of the fused Triton mixer of training on the same case."""
    xz, weights = draw(case)
    tokens = torch.from_numpy(xz).cuda()
    mixer = MixerWeights(**{name: torch.from_numpy(weights[name]).cuda() for name in NAMES})
    path = ScanPath(case.height, case.width, Direction(case.columns, case.reverse))
    with torch.no_grad():
        return {**_named(case), "us": graph_us(lambda: fused_mixer(tokens, mixer, path))}


def _named(case: Case) -> Json:
    """Return the sizes of a case that is timed; neither seed nor repeat say anything of it."""
    return {key: value for key, value in asdict(case).items() if key not in _OF_THE_CHECK}


_OF_THE_CHECK = ("extreme", "seed", "repeat")


def measure(libraries: dict[str, ctypes.CDLL], facts: Json, out: Path) -> Json:
    """Check the first library, time all of them, and write the result after every step."""
    document = {"schema": SCHEMA, **facts, "unit": UNIT, "check": {}, "kernel": [], "triton": []}
    first = next(iter(libraries.values()))
    document["check"] = check(first, cases(), "cuda")
    document["norms"] = {"check": check_norms(first, "cuda"), "times": norm_times(first, graph_us)}
    write_json(out, document)
    for sizes in (STUDENT, TEACHER):
        document["triton"] += [triton(replace(sizes, half=half)) for half in (False, True)]
    for build, library in libraries.items():
        for row in times(build, library):
            print(row, flush=True)
            document["kernel"].append(row)
            write_json(out, document)
    return document


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; the exit status is 1 where a case failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--library", type=Path, help="compiled before; else nvcc compiles it")
    parser.add_argument("--builds", default=SHIPPED, help=f"all, or of {', '.join(BUILDS)}")
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args(arguments)
    builds = list(BUILDS) if options.builds == "all" else options.builds.split(",")
    if unknown := set(builds) - set(BUILDS):
        parser.error(f"no such build: {', '.join(sorted(unknown))}")
    try:
        gpu = first_gpu()
        if gpu is None:
            parser.exit(1, "error: the CUDA driver shows no GPU to measure\n")
        make_folder(options.out.parent)
        nvcc = None if options.library else find_nvcc("--library FILE")
        if nvcc is None and options.library is None:
            parser.exit(1, "error: there is no nvcc\n  try: --library FILE\n")
        with tempfile.TemporaryDirectory() as name:
            if nvcc is None:
                paths = {options.library.name: options.library}
            else:
                capability, folder = gpu.compute_capability, Path(name)
                paths = {build: compile_build(nvcc, capability, build, folder) for build in builds}
            libraries = {build: load(path) for build, path in paths.items()}
            stated = {
                build: lib.edgesr_plugin_version().decode() for build, lib in libraries.items()
            }
            facts = {
                **host_facts(gpu),
                "nvcc": None if nvcc is None else nvcc.version,
                "source_sha256": next(iter(stated.values())),
                "command": "python -m benchmarks.tensorrt.mixer_kernel --builds " + options.builds,
            }  # fmt: skip
            document = measure(libraries, facts, options.out)
    except EdgesrError as problem:
        parser.exit(1, f"error: {problem}\n")
    found = document["check"]
    norms = [row for row in document["norms"]["check"] if not row["ok"]]
    return 1 if found["failed"] or found["concurrent"]["different"] or norms else 0


if __name__ == "__main__":
    sys.exit(main())
