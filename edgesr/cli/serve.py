"""`edgesr serve`: photographs enlarged for the local network."""

import os
import time
from contextlib import suppress
from typing import Annotated

import typer

from edgesr.cli import _network as options
from edgesr.cli._console import drop_output, say
from edgesr.imaging.limits import VARIABLE

MAX_MEGAPIXELS = 16.0
"""Largest picture unless a person says otherwise: sixteen times as many must fit into memory."""


def command(
    host: Annotated[
        str,
        typer.Option(help="Address to listen on; 0.0.0.0 lets other machines of the network in."),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 8000,
    name: Annotated[
        list[str] | None,
        typer.Option(help="Another name by which browsers reach this machine; may be repeated."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "-m",
            "--model",
            help="Name of a network, an .onnx or an .engine file. Default: photo for pictures "
            "stored with loss, such as JPEG, and student for others.",
        ),
    ] = None,
    scale: options.Scale = None,
    tile: options.Tile = None,
    overlap: options.Overlap = None,
    backend: options.Backend = "auto",
    threads: options.Threads = None,
    queue: Annotated[
        int, typer.Option(min=0, help="Pictures that may wait while one is enlarged.")
    ] = 8,
    max_body_mb: Annotated[
        float,
        typer.Option(min=0.001, help="Largest file that is accepted, in MB (millions of bytes)."),
    ] = 32.0,
) -> None:
    """Serve a page to drop photos on, and POST /upscale for programs, in the local network.

    Pictures of more than 16 megapixels are refused unless `edgesr --max-megapixels N serve` says
    otherwise. Ctrl-C ends it when the pictures in line are done.
    """
    from edgesr.runtime.sessions import Sessions
    from edgesr.serve.server import addresses, listen, own_names, serve
    from edgesr.serve.settings import ServerSettings
    from edgesr.serve.worker import Worker

    os.environ.setdefault(VARIABLE, f"{MAX_MEGAPIXELS:g}")
    names = own_names() + tuple(other.lower() for other in name or ())
    settings = ServerSettings(round(max_body_mb * 1e6), queue, names, tile, overlap)
    listener = listen(host, port)
    worker = Worker(lambda: Sessions(model, backend, scale, threads), settings)
    network = worker.network
    where = addresses(listener)
    ready = f"{network.model} x{network.scale} on {network.backend}: {' and '.join(where)}"
    try:
        serve(listener, worker, settings, _log, lambda _: _tell(ready))
    finally:
        worker.close()
    _tell("ended")
    drop_output()


def _log(line: str) -> None:
    _tell(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}")


def _tell(line: str) -> None:
    """Print a line; a terminal that is gone or a disk that is full is no reason to end."""
    with suppress(OSError):
        say(line)
