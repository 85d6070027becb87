"""What a run leaves: everything a report is made of, and nothing that could be computed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from edgesr.bench.environment import Machine, MachineState
from edgesr.decode import Amount, Count, FileName, Number, Positive, Scale, Sha256, Side, Text
from edgesr.power.board_rails import Total
from edgesr.power.sample import Array, Sample


class SpanKind(str, Enum):
    """What goes on in a span; the values are those of run.json."""

    IDLE = "idle"
    LOAD = "load"
    WARM_UP = "warm-up"
    MEASURED = "measured"


@dataclass(frozen=True)
class Span:
    """A stretch of time in a bench run.

    Attributes:
        kind: what goes on.
        start_s: begin, in seconds since the run began, as all times of a recording.
        end_s: end.
        model: index into `Recording.models`; None: idle.
        round: number of the round, from 0; None outside of rounds.
        samples: calls made in it.
    """

    kind: SpanKind
    start_s: Number
    end_s: Number
    model: Count | None = None
    round: Count | None = None
    samples: Count = 0

    def __post_init__(self) -> None:
        if not self.start_s <= self.end_s:
            raise ValueError(f"a span ends at {self.end_s} s, before it starts")
        if self.kind is SpanKind.MEASURED and (self.model is None or self.round is None):
            raise ValueError("a measured span needs a model and a round")


@dataclass(frozen=True)
class BenchModel:
    """A network that was measured.

    Attributes:
        label: its name in the report; no two are equal.
        is_control: whether it is the bicubic control.
        network: name in the registry.
        backend: what ran it.
        file: name of its file, None where it has none.
        scale: output side over input side.
        tile: side of its tile; None: any.
        images: pictures in one sample.
        runs: what one sample is, in words.
        load_ms: opening it, with the import of its backend if it was the first to use it.
        first_image_ms: its first sample, end to end.
        picture: name of the enlarged picture in `pictures/`.
        sha256: of the ONNX file or engine that ran; None: it is not made from a file.
    """

    label: Text
    is_control: bool
    network: Text
    backend: Text
    file: Text | None
    scale: Scale
    tile: Side | None
    images: Positive
    runs: Text
    load_ms: Amount
    first_image_ms: Amount
    picture: FileName
    sha256: Sha256 | None = None


@dataclass(frozen=True)
class Power:
    """The sensor of a bench run.

    Attributes:
        source: the sampler's name, or `none`.
        interval_s: time between samples that was asked for.
        step_mw: the sensor's step; 0: unknown.
        total: how the total is made.
        failure: why there is no power, or why it ended early; None: all went well.
        failed_reads: readings that the sensor did not give; they are left out.
    """

    source: Text
    interval_s: Amount
    step_mw: Amount
    total: Total
    failure: Text | None
    failed_reads: Count = 0


@dataclass(frozen=True)
class Latencies:
    """Every measured sample, in the order of measuring; arrays of shape (samples,).

    Attributes:
        model: index into `Recording.models`.
        round: number of the round.
        start_s: when it began.
        end_to_end_ms: see edgesr/bench/subject.py, as for the next two.
        latency_ms: host to host.
        device_ms: NaN where the backend does not tell.
    """

    model: NDArray[np.int64]
    round: NDArray[np.int64]
    start_s: Array
    end_to_end_ms: Array
    latency_ms: Array
    device_ms: Array

    @classmethod
    def from_rows(cls, rows: Sequence[tuple[float, ...]] | Array) -> "Latencies":
        """Arrange rows of (model, round, start_s, end_to_end_ms, latency_ms, device_ms)."""
        table = np.asarray(rows, np.float64).reshape(-1, 6)
        whole, real = table[:, :2].astype(np.int64), table[:, 2:]
        return cls(whole[:, 0], whole[:, 1], real[:, 0], real[:, 1], real[:, 2], real[:, 3])


@dataclass(frozen=True)
class BenchSettings:
    """What was asked for, as far as the report needs it.

    Attributes:
        command: the command line, for people.
        input: name of the pictures.
        width: of each, in pixels.
        height: of each.
        samples: measured samples asked for, of each model.
        warmup: uncounted samples before each window.
        rounds: measured windows of each model.
        window_s: least length of a window where power is measured.
        idle_s: length of the idle baseline.
    """

    command: Text
    input: Text
    width: Side
    height: Side
    samples: Positive
    warmup: Count
    rounds: Positive
    window_s: Amount
    idle_s: Amount


@dataclass(frozen=True)
class Recording:
    """A bench run as it was recorded: settings, times and power samples.

    Attributes:
        settings: what was asked for.
        started: UTC date and time of its begin, ISO 8601.
        interrupted: whether it was stopped before its end.
        machine: what it ran on.
        before: the machine before the run.
        after: and after.
        models: the networks, the control last.
        spans: in order of time.
        power: where the power came from.
        latencies: every measured sample.
        samples: every power sample.
        input_picture: name of the small picture in `pictures/`.
    """

    settings: BenchSettings
    started: str
    interrupted: bool
    machine: Machine
    before: MachineState
    after: MachineState
    models: tuple[BenchModel, ...]
    spans: tuple[Span, ...]
    power: Power
    latencies: Latencies
    samples: tuple[Sample, ...]
    input_picture: str

    def windows(self, model: int) -> tuple[Span, ...]:
        """Return a model's measured windows."""
        return tuple(
            span for span in self.spans if span.kind is SpanKind.MEASURED and span.model == model
        )
