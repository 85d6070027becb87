"""The frames of a run, one after the other: taken, upscaled, and shown while they are young."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import Argument, StreamError
from edgesr.live import policy
from edgesr.live.capture import Capture, Frame
from edgesr.live.display import Display, to_i420
from edgesr.live.enlarge import Enlarger
from edgesr.live.figures import Fate, FrameRow, Record
from edgesr.live.meter import Meter
from edgesr.live.overlay import Overlay, draw_lines

_LOOK_S = 0.1  # how often the wish to stop is looked at
_STALL_S = 10.0
_NONE_SHOWN_S = 15.0
_FASTEST = "esr-fast"


@dataclass(frozen=True)
class Stage:
    """What a loop works with.

    Attributes:
        source: its name, for messages.
        interval_s: of the source, as it was known at the start.
        capture: gives frames.
        enlarger: upscales them.
        display: takes them.
        meter: tells power and temperature.
        record: takes what became of each.
        model: the network and what runs it, for the overlay.
        superseded: rows that the thread of `capture` leaves, for the record.
        wants_stop: whether to end.
        tell: takes the overlay's first line after every frame shown.
    """

    source: str
    interval_s: float
    capture: Capture
    enlarger: Enlarger
    display: Display
    meter: Meter
    record: Record
    model: str
    superseded: deque[FrameRow]
    wants_stop: Callable[[], bool]
    tell: Callable[[str], None]


class Loop:
    """Runs frames through a stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._work = policy.Estimate()
        self._showing = policy.Estimate(first_s=stage.interval_s)  # a sink may be slow at first
        self._late_s: float | None = None
        self.shown_late = 0

    def run(self, duration_s: float | None) -> bool:
        """Run until it is asked to stop, or the source ends.

        Args:
            duration_s: longest time; None: no limit.

        Returns:
            Whether the source ended.

        Raises:
            StreamError: no frame comes any more, none can be shown in time, or the sink ended.
            ModelError: the network failed.
        """
        stage = self._stage
        begin_s = time.monotonic()
        while not stage.wants_stop():
            self.collect()
            now = time.monotonic()
            if duration_s is not None and now - begin_s >= duration_s:
                return False
            taken = stage.capture.take(_LOOK_S)
            if taken is not None:
                self._process(*taken)
            elif stage.capture.has_ended:
                return True
            elif now - stage.capture.last_arrival_s > _STALL_S:
                raise StreamError(
                    f"the source has sent no frame for {_STALL_S:g} s", where=stage.source
                )
            stage.display.check()
            if stage.record.counts[Fate.SHOWN] == 0 and now - begin_s > _NONE_SHOWN_S:
                raise self.why_none_shown()
        return False

    def collect(self) -> None:
        """Put into the record what the thread of `capture` left."""
        while self._stage.superseded:
            self._stage.record.add(self._stage.superseded.popleft())

    def _process(self, frame: Frame, just_came: bool) -> None:
        """Bring a frame to the sink, or drop it."""
        stage = self._stage
        interval_s = stage.capture.interval_s or stage.interval_s
        taken_s = time.monotonic()
        age_s = taken_s - frame.captured_s
        expected_s = self._work.longest_s + self._showing.longest_s
        if not policy.worth_starting(age_s, expected_s, interval_s, just_came):
            self._late_s = age_s
            stage.record.add(FrameRow.of(frame, Fate.EXPIRED))
            return
        planes = self._enlarge(frame)
        enlarged_s = time.monotonic()
        self._work.add(enlarged_s - taken_s)
        last_s = policy.last_moment_s(frame.captured_s, self._showing.longest_s, interval_s)
        is_ready = stage.display.is_ready(last_s)
        sent_s = time.monotonic()
        if not is_ready or sent_s > last_s:
            self._showing.forget()
            stage.record.add(FrameRow.of(frame, Fate.EXPIRED, taken_s, enlarged_s))
            return
        shown_s = stage.display.show(planes, sent_s, stage.wants_stop)
        self._showing.add(shown_s - sent_s)
        self.shown_late += shown_s - frame.captured_s > policy.age_limit_s(interval_s)
        stage.record.add(FrameRow.of(frame, Fate.SHOWN, taken_s, enlarged_s, sent_s, shown_s))

    def _enlarge(self, frame: Frame) -> NDArray[np.uint8]:
        """Return a frame as it goes to the sink, with the figures in it."""
        stage = self._stage
        enlarged = stage.enlarger.run(frame.rgb)
        reading = stage.meter.now
        lines = Overlay(
            fps=stage.record.fps_at(time.monotonic()),
            power_w=reading.power_w,
            temperature_c=reading.temperature_c,
            age_ms=stage.record.last_age_ms,
            dropped=stage.record.dropped,
            model=stage.model,
        ).lines()
        draw_lines(enlarged, lines)
        stage.tell(lines[0])
        return to_i420(stage.display.cut(enlarged))

    def why_none_shown(self) -> StreamError:
        """Return why no frame was shown."""
        interval_s = self._stage.capture.interval_s or self._stage.interval_s
        needed_s = self._work.longest_s
        limit_ms = 1000 * policy.age_limit_s(interval_s)
        if needed_s == 0.0 and self._late_s is None:
            return StreamError("stopped before a frame was shown", where=self._stage.source)
        if needed_s == 0.0:
            return StreamError(
                f"frames come {1000 * (self._late_s or 0.0):.0f} ms after their capture, and two "
                f"intervals of the source are {limit_ms:.0f} ms"
            )
        return StreamError(
            f"no frame could be shown in time: one takes {1000 * needed_s:.0f} ms here, and two "
            f"intervals of the source are {limit_ms:.0f} ms",
            fix=less_work(needed_s, self._stage.model.partition(" ")[0]),
        )


def less_work(needed_s: float, model: str) -> Argument | str:
    """Return what lets frames be shown where one takes so long: fewer of them, or smaller ones."""
    if fps := int(1.5 / needed_s):
        return Argument("fps", fps)
    return "a smaller --size" if model == _FASTEST else f"-m {_FASTEST}, or a smaller --size"
