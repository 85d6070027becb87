"""`edgesr live`: a camera, a stream or a video through a network, as it comes."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgesr.cli import _network as options
from edgesr.cli._console import progress, say
from edgesr.cli._signals import stop_on_signals
from edgesr.runtime.select import open_session

if TYPE_CHECKING:
    from edgesr.boards.board import Board
    from edgesr.errors import EdgesrError
    from edgesr.live.figures import Figures
    from edgesr.live.run import LiveConfig
    from edgesr.runtime.session import Session


def command(
    source: Annotated[
        str,
        typer.Option(
            help="Where the video comes from: /dev/video0, rtsp://HOST/PATH, a video file, "
            "test or test://smpte."
        ),
    ],
    sink: Annotated[
        str,
        typer.Option(
            help="Where the enlarged video goes: window, FILE.mkv, FILE.mp4, file (live.mkv), "
            "rtsp://HOST:8554/PATH, or rtsp (a server on this machine)."
        ),
    ] = "window",
    model: Annotated[
        str, typer.Option("-m", "--model", help="Name of a network, an .onnx or .engine file.")
    ] = "student",
    scale: options.Scale = None,
    backend: options.Backend = "auto",
    threads: options.Threads = None,
    fps: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=240,
            help="Take at most so many frames a second. Default: all of them; 5 where the source "
            "is test.",
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="WxH",
            help="Size of a frame of the source, in pixels. Default: the source's own, "
            "640x480 for a camera.",
        ),
    ] = None,
    duration_s: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="End after so many seconds. Default: at Ctrl-C or the source's end."
        ),
    ] = None,
    power: options.Power = "auto",
    record: Annotated[
        Path | None,
        typer.Option(
            help="CSV file that tells, for every frame, when it came and whether it was "
            "shown or dropped."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that exist already.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show live video enlarged, the latest frame first and never one that is too old.

    A frame older than two intervals of the source is dropped and counted. Frames per second, power
    and temperature stand in the picture. Ctrl-C ends it; a file is whole then. Needs GStreamer.
    """
    import os

    from edgesr.boards.device import detect_board
    from edgesr.errors import ConfigError
    from edgesr.live.endpoints import File, check_sink, parse_frame_size, parse_sink, parse_source
    from edgesr.live.run import LiveConfig

    target = parse_sink(sink)
    if overwrite and record is None and not isinstance(target, File):
        raise ConfigError(
            "does nothing where no file is written", where="--overwrite", fix="leave it out"
        )
    check_sink(target, overwrite, os.environ)
    if record is not None and record.exists() and not overwrite:
        raise ConfigError("is there already", where=record, fix="--overwrite")
    config = LiveConfig(
        source=parse_source(source),
        sink=target,
        fps=fps,
        size=None if size is None else parse_frame_size(size),
        duration_s=duration_s,
        power=power,
    )
    board = detect_board()
    session = open_session(model, backend, scale, threads)
    try:
        figures, failure = _show(config, session, board, (source, sink), record)
    finally:
        session.close()
    say(figures.to_json() if as_json else figures.line())
    if failure is not None:
        raise failure


def _show(
    config: "LiveConfig",
    session: "Session",
    board: "Board | None",
    names: tuple[str, str],
    record: Path | None,
) -> "tuple[Figures, EdgesrError | None]":
    from edgesr.files import atomic_path
    from edgesr.live.run import LiveHooks, run

    with ExitStack() as stack:
        rows = None
        if record is not None:
            temporary = stack.enter_context(atomic_path(record))
            rows = stack.enter_context(temporary.open("w", 1, encoding="utf-8"))
        advance = stack.enter_context(progress("live", None))
        hooks = LiveHooks(
            wants_stop=stack.enter_context(stop_on_signals()),
            tell=lambda line: advance(1, line),
            rows=rows,
        )
        return run(config, session, board, names, hooks)
