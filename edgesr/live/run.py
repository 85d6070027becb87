"""A live picture from its source to its sink, until it ends or is told to."""

import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal, TextIO

from edgesr.boards.board import Board
from edgesr.errors import EdgesrError, NothingYetError, StreamError
from edgesr.files import atomic_path
from edgesr.live import policy
from edgesr.live.capture import Capture
from edgesr.live.child import Child
from edgesr.live.display import Display, StalledSinkError, even
from edgesr.live.endpoints import File, Sink, Size, Source
from edgesr.live.enlarge import Enlarger
from edgesr.live.figures import Fate, Figures, FrameRow, Record
from edgesr.live.gdp import VideoFormat
from edgesr.live.loop import Loop, Stage
from edgesr.live.meter import Meter
from edgesr.live.pipelines import elements_for, sink_pipeline, source_pipeline
from edgesr.runtime.session import Session

_LOOK_S = 0.02
_FIRST_S = 20.0  # a stream from the network may take so long to begin
_FINISH_S = 20.0

ASKED, END, CLOSED = "asked to", "end of the stream", "window closed"


@dataclass(frozen=True)
class LiveConfig:
    """Source, sink, network and limits of a run.

    Attributes:
        source: where frames come from.
        sink: where they go.
        fps: most frames per second that are taken from the source; None: all.
        size: of a frame of the source; None: its own.
        duration_s: how long, from the first frame; None: until it is stopped.
        power: as `edgesr bench --power`.
    """

    source: Source
    sink: Sink
    fps: int | None = None
    size: Size | None = None
    duration_s: float | None = None
    power: str = "auto"


@dataclass(frozen=True)
class LiveHooks:
    """What a run asks and tells.

    Attributes:
        wants_stop: whether it shall end.
        tell: takes the lines that stand on the picture, after every frame.
        rows: takes a line of CSV for every frame; None: nobody wants them.
    """

    wants_stop: Callable[[], bool]
    tell: Callable[[str], None]
    rows: TextIO | None = None


def run(
    config: LiveConfig,
    session: Session,
    board: Board | None,
    names: tuple[str, str],
    hooks: LiveHooks,
) -> tuple[Figures, EdgesrError | None]:
    """Show a live picture.

    Args:
        config: what is to be done.
        session: the network.
        board: this machine, if it is a board; decides on GStreamer's elements.
        names: source and sink as they were asked for.
        hooks: what it asks and tells.

    Returns:
        The figures, and what went wrong after frames had come. A file holds what was shown then.

    Raises:
        NothingYetError: it was asked to end before anything was shown; no file was written.
        EdgesrError: nothing could be shown, and no file was written.
    """
    with ExitStack() as stack:
        sink = config.sink
        if isinstance(sink, File):
            sink = File(stack.enter_context(atomic_path(sink.path)))
        runs_on: Literal["cpu", "gpu"] = "cpu" if session.backend == "onnxruntime" else "gpu"
        meter = stack.enter_context(Meter(config.power, runs_on))
        elements = elements_for(board)
        words = source_pipeline(elements, config.source, config.fps, config.size)
        source = stack.enter_context(Child(words, "source", names[0]))
        superseded: deque[FrameRow] = deque()
        capture = Capture(
            source.pipe,
            lambda: source.base_time_s,
            lambda frame: superseded.append(FrameRow.of(frame, Fate.SUPERSEDED)),
        )
        format, interval_s = _await_format(capture, source, hooks)
        begin_s = time.monotonic()
        enlarger = Enlarger(session, format.height, format.width)
        size = even(enlarger.width), even(enlarger.height)
        shown = stack.enter_context(Child(sink_pipeline(elements, sink), "sink", names[1]))
        record = Record(hooks.rows)
        loop = Loop(
            Stage(
                source=names[0],
                interval_s=interval_s,
                capture=capture,
                enlarger=enlarger,
                display=Display(shown, *size, interval_s),
                meter=meter,
                record=record,
                model=f"{session.model} x{session.scale} on {session.backend}",
                superseded=superseded,
                wants_stop=hooks.wants_stop,
                tell=hooks.tell,
            )
        )
        ended, failure = _run_loop(loop, config, capture, source, shown)
        duration_s = time.monotonic() - begin_s
        if record.counts[Fate.SHOWN] == 0:
            why = failure or loop.why_none_shown()
            if ended == ASKED and hooks.wants_stop():  # and not because its time was over
                raise NothingYetError(why.what, where=why.where, fix=why.fix)
            raise why
        if ended != CLOSED:
            shown.finish(_FINISH_S, must_succeed=isinstance(sink, File))
        source.end()
        capture.join()
        loop.collect()
        interval_s = capture.interval_s or interval_s
        figures = Figures(
            source=names[0],
            sink=names[1],
            elements=elements.name,
            model=session.model,
            backend=session.backend,
            input_size=(format.width, format.height),
            output_size=size,
            interval_ms=round(1000 * interval_s, 3),
            limit_ms=round(1000 * policy.age_limit_s(interval_s), 3),
            duration_s=round(duration_s, 3),
            captured=sum(record.counts.values()),
            shown=record.counts[Fate.SHOWN],
            superseded=record.counts[Fate.SUPERSEDED],
            expired=record.counts[Fate.EXPIRED],
            lost=capture.lost,
            shown_late=loop.shown_late,
            fps=record.fps(),
            age_ms=record.ages_ms(),
            work_ms=record.work_ms(),
            power={"source": meter.source, "mean_w": meter.mean_w, "reason": meter.failure},
            temperature_max_c=meter.hottest_c,
            ended=ended,
        )
    return figures, failure


def _await_format(capture: Capture, source: Child, hooks: LiveHooks) -> tuple[VideoFormat, float]:
    """Wait until it is known what the source's frames are like, and the interval between them.

    Raises:
        StreamError: it ended, or told nothing in time.
        NothingYetError: it is to stop.
        MissingError: GStreamer lacks an element.
    """
    deadline = time.monotonic() + _FIRST_S
    while True:
        format, interval_s = capture.format, capture.interval_s
        if format is not None and interval_s is not None:
            return format, interval_s
        if capture.has_ended:
            raise capture.failure or _failure_of(source)
        if hooks.wants_stop():
            raise NothingYetError("stopped before a frame came", where=source.where)
        if time.monotonic() > deadline:
            raise StreamError(f"the source has sent nothing for {_FIRST_S:g} s", where=source.where)
        time.sleep(_LOOK_S)


def _run_loop(
    loop: Loop, config: LiveConfig, capture: Capture, source: Child, shown: Child
) -> tuple[str, EdgesrError | None]:
    """Run the loop; return how it ended, and what failed though what was shown is whole.

    Raises:
        EdgesrError: the sink failed.
    """
    try:
        source_ended = loop.run(config.duration_s)
    except EdgesrError as error:
        if shown.was_closed:
            return CLOSED, None
        if not shown.is_running() or isinstance(error, StalledSinkError):
            raise
        return error.what, error
    if not source_ended:
        return ASKED, None
    if isinstance(config.source, File) and capture.failure is None and source.has_succeeded():
        return END, None
    failure = capture.failure or _failure_of(source)
    return failure.what, failure


def _failure_of(source: Child) -> EdgesrError:
    """Return why a source gives no more frames."""
    if source.has_succeeded():
        return StreamError("the stream ended", where=source.where)
    return source.failure()
