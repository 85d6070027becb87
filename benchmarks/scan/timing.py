"""Median times of GPU work by CUDA events: a call alone, one of many in a row, a CUDA graph."""

import statistics
from collections.abc import Callable

import torch

Call = Callable[[], object]
WARM_UP = 3
LENGTH, CHANNELS, STATES = 4096, 64, 16  # of the scans that are timed
TIMED = ((1, "float32"), (32, "bfloat16"), (32, "float32"), (128, "bfloat16"), (128, "float32"))
"""Their batches and input types."""


def input_sets(batch: int) -> int:
    """Return how many inputs of such a batch exceed the L2 cache together."""
    return 2 if batch > 1 else 32


def events() -> tuple[torch.cuda.Event, torch.cuda.Event]:
    """Return two events that tell the time between them."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
    return start, end


def median_ms(calls: list[Call], repeats: int = 30) -> float:
    """Return the median time of one call, launched on an idle GPU; rotates over the calls."""
    for call in calls * WARM_UP:
        call()
    times: list[float] = []
    for i in range(repeats):
        start, end = events()
        torch.cuda.synchronize()
        start.record()
        calls[i % len(calls)]()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end))
    return statistics.median(times)


def in_a_row_ms(calls: list[Call], row: int = 64, repeats: int = 7) -> float:
    """Return the median time of a call among many: the next is launched while one runs."""

    def many() -> None:
        for i in range(row):
            calls[i % len(calls)]()

    return median_ms([many], repeats) / row


def timings(name: str, calls: list[Call]) -> dict[str, float]:
    """Return the three times of a call, in milliseconds, under `name` with what each is."""
    return {
        f"{name}_ms": median_ms(calls),
        f"{name}_in_a_row_ms": in_a_row_ms(calls),
        f"{name}_graph_ms": median_ms([graphed(call) for call in calls]),
    }


def graphed(call: Call) -> Call:
    """Return a replay of the call as a CUDA graph, which leaves its launch from Python out."""
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UP):
            call()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph.replay
