"""Options of the commands that run a network: one definition, so that they mean the same."""

from typing import Annotated

import typer

from edgesr.runtime.select import backend_names

Scale = Annotated[
    int | None,
    typer.Option(
        "-s",
        "--scale",
        help="How many times wider and higher the result is. Default: what the model "
        "file was made for; 4 for a network's name.",
    ),
]
Tile = Annotated[
    int | None,
    typer.Option(
        "-t",
        "--tile",
        help="Side of the square tiles, in pixels of the small picture. Default: what "
        "the model was made for.",
    ),
]
Overlap = Annotated[
    int | None,
    typer.Option(
        help="Least number of pixels that neighbouring tiles have in common, where "
        "they are blended."
    ),
]
Backend = Annotated[
    str,
    typer.Option(
        metavar="|".join(backend_names()),
        help="Runtime that computes the network; auto takes TensorRT where an "
        "engine fits, else ONNX Runtime.",
    ),
]
Threads = Annotated[
    int | None, typer.Option(min=1, help="Number of CPU threads that the network may use.")
]
Power = Annotated[
    str,
    typer.Option(
        help="Where power is read: tegrastats, hwmon, nvml, rapl, auto (the first that "
        "answers), none, or replay:FILE."
    ),
]
