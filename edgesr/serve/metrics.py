"""What the server counts, for Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)

from edgesr.serve.line import Line
from edgesr.serve.worker import NetworkReport, ServedPicture
from edgesr.version import __version__

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)


class ServerMetrics:
    """Counters of one server, apart from those of any other in the process.

    Args:
        runs: the networks that run.
        line: its queue.
    """

    def __init__(self, runs: NetworkReport, line: Line) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        network = Info("edgesr", "Version and network.", registry=self._registry)
        network.info(
            {
                "version": __version__,
                "model": runs.model,
                "scale": str(runs.scale),
                "backend": runs.backend,
            }
        )
        self._answers = Counter(
            "edgesr_http_responses",
            "Answers by status; 'gone' where the client went away before.",
            ["path", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "edgesr_upscale_seconds",
            "From the picture's file to the result's file, without waiting.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._wait = Histogram(
            "edgesr_wait_seconds",
            "From the last byte of a picture to its turn.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._pixels = Counter(
            "edgesr_input_pixels", "Pixels of pictures enlarged.", registry=self._registry
        )
        self._received = Counter(
            "edgesr_received_bytes", "Files of pictures taken.", registry=self._registry
        )
        self._made = Counter("edgesr_result_bytes", "Files made.", registry=self._registry)
        for name, text, value in (
            ("edgesr_queue_taken", "Pictures in line, and being enlarged.", lambda: line.taken),
            ("edgesr_queue_places", "Most that can be.", lambda: line.places),
        ):
            Gauge(name, text, registry=self._registry).set_function(value)

    def answered(self, path: str, status: str) -> None:
        """Count an answer.

        Args:
            path: of a route; anything else is counted as `other`.
            status: number, or `gone`.
        """
        self._answers.labels(path, status).inc()

    def enlarged(self, received_bytes: int, wait_s: float, result: ServedPicture) -> None:
        """Count a picture that was made."""
        width, height = result.input_size
        self._wait.observe(wait_s)
        self._seconds.observe((result.decode_ms + result.run_ms + result.encode_ms) / 1e3)
        self._pixels.inc(width * height)
        self._received.inc(received_bytes)
        self._made.inc(len(result.data))

    def text(self) -> bytes:
        """Return all of it in Prometheus's text format."""
        return generate_latest(self._registry)
