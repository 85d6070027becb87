"""What became of every frame, and what that sums up to."""

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from enum import Enum
from typing import Any, TextIO

import numpy as np

from edgesr.live.capture import Frame

_REMEMBERED = 100_000  # frames whose ages and times the percentiles are of
_RATE_S = 3.0
_PERCENTILES = (50, 95)


class Fate(str, Enum):
    """What became of a frame that came."""

    SHOWN = "shown"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"


@dataclass(frozen=True)
class FrameRow:
    """A frame's way; times are of the monotonic clock, None where it did not get so far.

    Attributes:
        number: of the frame as it came, from 0.
        fate: `shown`; `superseded`: a later one came before work on it began; `expired`: it was, or
            would have been, older than two intervals when it was shown.
        time_s: its time stamp in the source's pipeline.
        captured_s: when it was captured.
        arrived_s: when it had come through the source's pipeline.
        taken_s: when work on it began.
        enlarged_s: when it was upscaled.
        sent_s: when it went to the sink.
        shown_s: when the sink had all of it.
    """

    number: int
    fate: Fate
    time_s: float
    captured_s: float
    arrived_s: float
    taken_s: float | None = None
    enlarged_s: float | None = None
    sent_s: float | None = None
    shown_s: float | None = None

    @classmethod
    def of(cls, frame: Frame, fate: Fate, *times_s: float) -> "FrameRow":
        """Return the row of a frame; `times_s` are those from `taken_s` on, as far as it got."""
        return cls(frame.number, fate, frame.time_s, frame.captured_s, frame.arrived_s, *times_s)

    @property
    def age_s(self) -> float | None:
        """Age when it was shown."""
        return None if self.shown_s is None else self.shown_s - self.captured_s


class Record:
    """Rows as they come: counted, and written to a file where one is wanted.

    Args:
        file: takes the rows as CSV; None: they are only counted.
    """

    def __init__(self, file: TextIO | None = None) -> None:
        self._file = file
        self.counts = dict.fromkeys(Fate, 0)
        self._ages_s: deque[float] = deque(maxlen=_REMEMBERED)
        self._work_s: deque[float] = deque(maxlen=_REMEMBERED)
        self._shown_s: deque[float] = deque()
        self.oldest_s: float | None = None
        self.first_shown_s: float | None = None
        self.last_shown_s: float | None = None
        if file is not None:
            file.write(",".join(field.name for field in fields(FrameRow)) + "\n")

    def add(self, row: FrameRow) -> None:
        """Take a row in."""
        self.counts[row.fate] += 1
        if row.taken_s is not None and row.enlarged_s is not None:
            self._work_s.append(row.enlarged_s - row.taken_s)
        if row.shown_s is not None and row.age_s is not None:
            self._ages_s.append(row.age_s)
            self._shown_s.append(row.shown_s)
            self.oldest_s = max(row.age_s, self.oldest_s or row.age_s)
            self.first_shown_s = self.first_shown_s or row.shown_s
            self.last_shown_s = row.shown_s
        if self._file is not None:
            self._file.write(",".join(_text(value) for value in asdict(row).values()) + "\n")

    @property
    def dropped(self) -> int:
        """Frames that came and were not shown."""
        return self.counts[Fate.SUPERSEDED] + self.counts[Fate.EXPIRED]

    @property
    def last_age_ms(self) -> float | None:
        """Age of the frame shown last, when it was shown."""
        return 1000 * self._ages_s[-1] if self._ages_s else None

    def fps_at(self, now_s: float) -> float | None:
        """Return frames shown per second over the last 3 s; None while there are too few."""
        while self._shown_s and now_s - self._shown_s[0] > _RATE_S:
            self._shown_s.popleft()
        if len(self._shown_s) < 2:
            return None
        return (len(self._shown_s) - 1) / (self._shown_s[-1] - self._shown_s[0])

    def fps(self) -> float | None:
        """Return frames shown per second from the first to the last; None of fewer than two."""
        first, last, count = self.first_shown_s, self.last_shown_s, self.counts[Fate.SHOWN]
        return (count - 1) / (last - first) if count > 1 and first and last else None

    def ages_ms(self) -> dict[str, float]:
        """Return percentiles and the maximum of the ages of shown frames; empty without any."""
        oldest = {} if self.oldest_s is None else {"max": round(1000 * self.oldest_s, 3)}
        return _percentiles_ms(self._ages_s) | oldest

    def work_ms(self) -> dict[str, float]:
        """Return percentiles of the time a frame took to be upscaled; empty without any."""
        return _percentiles_ms(self._work_s)


@dataclass(frozen=True)
class Figures:
    """What a run comes to: frames, their ages, power.

    Attributes:
        source: as it was asked for.
        sink: likewise.
        elements: `jetson` or `software`.
        model: name of the network.
        backend: what ran it.
        input_size: width and height of a frame in pixels.
        output_size: of an upscaled one.
        interval_ms: between frames of the source.
        limit_ms: age beyond which no frame is shown.
        duration_s: from the first frame's coming to the end.
        captured: frames that came; each is one of the next three.
        shown: those that were shown.
        superseded: those that a later one took the place of.
        expired: those that were, or would have been, too old.
        lost: frames that never came, as gaps in the source's time stamps tell.
        shown_late: frames that were shown and were too old all the same, because the sink took them
            in more slowly than any before.
        fps: frames shown per second, from the first to the last.
        age_ms: of shown frames: `p50`, `p95`, `max`.
        work_ms: time of upscaling a frame: `p50`, `p95`.
        power: `source`, `mean_w` or None, `reason` where there is none.
        temperature_max_c: of the hottest sensor; None: unknown.
        ended: `asked to`, `end of the stream`, `window closed`, or why it failed.
    """

    source: str
    sink: str
    elements: str
    model: str
    backend: str
    input_size: tuple[int, int]
    output_size: tuple[int, int]
    interval_ms: float
    limit_ms: float
    duration_s: float
    captured: int
    shown: int
    superseded: int
    expired: int
    lost: int
    shown_late: int
    fps: float | None
    age_ms: dict[str, float]
    work_ms: dict[str, float]
    power: dict[str, Any]
    temperature_max_c: float | None
    ended: str

    def to_json(self) -> str:
        """Return one JSON document."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False, allow_nan=False)

    def line(self) -> str:
        """Return the closing line."""
        fps = "" if self.fps is None else f" ({self.fps:.1f} fps)"
        age = ""
        if self.age_ms:
            age = (
                f"; age {self.age_ms['p50']:.0f} ms, at most {self.age_ms['max']:.0f} of "
                f"{self.limit_ms:.0f} ms allowed"
            )
        late = f", {self.shown_late} of them LATE" if self.shown_late else ""
        mean_w, heat = self.power["mean_w"], self.temperature_max_c
        return (
            f"{self.shown} of {self.captured} frames shown{fps}{late} in {self.duration_s:.1f} s, "
            f"{self.superseded} superseded, {self.expired} too old, {self.lost} lost before{age}; "
            f"power {'unknown' if mean_w is None else f'{mean_w:.2f} W'}, "
            f"temperature {'unknown' if heat is None else f'{heat:.1f} C'}"
        )


def _percentiles_ms(durations_s: Sequence[float]) -> dict[str, float]:
    if not durations_s:
        return {}
    values = 1000 * np.percentile(np.array(durations_s), _PERCENTILES)
    names = (f"p{percent}" for percent in _PERCENTILES)
    return {name: round(float(value), 3) for name, value in zip(names, values, strict=True)}


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Fate):
        return value.value
    return f"{value:.6f}" if isinstance(value, float) else str(value)
