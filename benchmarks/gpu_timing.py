"""Median times of GPU work by CUDA events, also for scan_gpu.py and step_gpu.py."""

import statistics
from collections.abc import Callable

import torch

Call = Callable[[], object]
WARM_UP = 3


def median_ms(calls: list[Call], repeats: int = 30) -> float:
    """Return the median time of one call, rotating over the calls; the first ones are not timed."""
    for call in calls * WARM_UP:
        call()
    times = []
    for i in range(repeats):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize()
        start.record()
        calls[i % len(calls)]()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end))
    return statistics.median(times)


def graphed(call: Call) -> Call:
    """Return a replay of the call as a CUDA graph, which leaves its launch from Python out."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UP):
            call()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph.replay
