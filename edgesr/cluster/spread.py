"""What the machine does on which the command runs: it hands out pictures and writes the results."""

import logging
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Protocol, TextIO, TypeVar

from edgesr.cluster.task import Order, TaskResult, enlarge
from edgesr.errors import Argument, ConfigError, EdgesrError
from edgesr.files import make_folder, write_bytes
from edgesr.imaging.picture import read_content

TRIES = 3
"""Times that a picture is tried again when its worker is lost; one that ends every worker, by the
memory it takes for instance, must not go on for ever."""


class ClusterJob(Protocol):
    """A picture and where its enlargement goes."""

    @property
    def input(self) -> Path:
        """What is read."""
        ...

    @property
    def output(self) -> Path:
        """What is written."""
        ...


AnyJob = TypeVar("AnyJob", bound=ClusterJob)

_ANSWER_S = 10.0
_AHEAD = 2  # pictures handed out for each CPU of the cluster, so that none waits for its next


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Join a Ray cluster while the block runs.

    Args:
        address: `HOST:PORT` of its head, from a machine of the cluster; `ray://HOST:10001` from
            any other; `auto` for the one that runs on this machine; `local` for a new one here.

    Raises:
        ConfigError: no cluster answers there.
    """
    import ray

    _check_answers(address)
    try:
        ray.init(address, logging_level=logging.CRITICAL, log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise _no_cluster(address, reason) from error
    try:
        with redirect_stdout(_WithoutRay(sys.stdout)):
            yield
    finally:
        ray.shutdown()


class _WithoutRay:
    """Standard output but for what Ray's own threads print: pages about a machine that is gone.

    `log_to_driver` does not hold for them, and they would stand between our lines of JSON.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write what no thread of Ray writes."""
        if threading.current_thread().name.startswith("ray_"):
            return len(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _check_answers(address: str) -> None:
    """Refuse an address at which nothing listens: Ray itself would go on trying for minutes.

    Raises:
        ConfigError: nothing does.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdecimal():
        return  # `auto` or `local`, or what Ray has something to say about
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWER_S).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(address, str(error)) from error


def _no_cluster(address: str, reason: str) -> ConfigError:
    return ConfigError(
        f"no Ray cluster answers at {address} ({reason})", where=Argument("ray"), fix="ray status"
    )


def spread(jobs: list[AnyJob], order: Order) -> Iterator[tuple[AnyJob, TaskResult | EdgesrError]]:
    """Enlarge pictures on the cluster and write each result as soon as it is there.

    Files are read and written here. A picture whose worker or machine is lost is done again by
    another. Of all pictures only those that are on their way are in memory.

    Args:
        jobs: what is read and written.
        order: how.

    Yields:
        Each job as it is done, and what became of it.
    """
    import ray

    task = ray.remote(num_cpus=order.threads, max_retries=TRIES)(enlarge)
    shared = ray.put(order)
    waiting = iter(jobs)
    under_way: dict[Any, AnyJob] = {}
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    room = max(int(_AHEAD * resources.get("CPU", 1)), 1)
    while True:
        while len(under_way) < room and (job := next(waiting, None)) is not None:
            try:
                data = read_content(job.input)
            except EdgesrError as error:
                yield job, error
                continue
            reference = task.remote(shared, str(job.input), data, job.output.suffix)
            under_way[reference] = job
        if not under_way:
            return
        (reference, *_), _ = ray.wait(list(under_way), num_returns=1)
        job = under_way.pop(reference)
        yield job, _finish(job, reference)


def _finish(job: ClusterJob, reference: Any) -> TaskResult | EdgesrError:
    """Take a result from the cluster and write it."""
    import ray

    try:
        done: TaskResult | EdgesrError = ray.get(reference)
    except ray.exceptions.RayTaskError as error:  # not ours: a broken installation, say
        return EdgesrError(_last_line(error), where=job.input, fix="edgesr doctor, on the workers")
    except ray.exceptions.RayError as error:
        return EdgesrError(
            f"its worker was lost {TRIES + 1} times ({_last_line(error)})", where=job.input
        )
    if isinstance(done, TaskResult):
        try:
            make_folder(job.output.parent)
            write_bytes(job.output, done.data)
        except EdgesrError as error:
            return error
    return done


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]


def order_for(
    model: str | None,
    scale: float | None,
    backend: str,
    threads: int | None,
    tile: int | None,
    overlap: int | None,
    quality: int,
    background: str | None = None,
    width: int | None = None,
    height: int | None = None,
    tta: bool = False,
) -> Order:
    """Return the order of a run, with the content of a model's file.

    `auto` is ONNX Runtime, because all workers must give the same bytes; a worker has one thread
    unless more are asked for, because a picture goes to every CPU of the cluster.

    Raises:
        ConfigError: an engine was named, which fits the board it was built on and no other.
    """
    from edgesr.artifacts.onnx_manifest import OnnxManifest
    from edgesr.runtime.select import Request

    files: tuple[tuple[str, bytes], ...] = ()
    path = None if model is None else Request(model).path
    if path is not None and path.suffix == ".engine":
        raise ConfigError(
            "an engine runs on the board it was built on",
            where=Argument("ray"),
            fix="-m MODEL.onnx",
        )
    if path is not None:
        manifest = OnnxManifest.path_for(path)
        files = ((path.name, path.read_bytes()), (manifest.name, manifest.read_bytes()))
    chosen = "onnxruntime" if backend == "auto" else backend
    return Order(
        model, files, scale, chosen, threads or 1, tile, overlap, quality, background,
        width, height, tta,
    )  # fmt: skip
