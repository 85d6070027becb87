"""Options of the commands that run a network: one definition, so that they mean the same."""

from typing import Annotated

import typer

from edgesr.runtime.select import backend_names

Scale = Annotated[
    int | None,
    typer.Option("-s", "--scale", help="Enlargement. Default: the file's, 4 for a name."),
]
Tile = Annotated[
    int | None,
    typer.Option("-t", "--tile", help="Side of a tile in pixels. Default: the model's."),
]
Overlap = Annotated[int | None, typer.Option(help="Pixels that neighbouring tiles share at least.")]
Backend = Annotated[
    str, typer.Option(metavar="|".join(backend_names()), help="What runs the network.")
]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads.")]
Power = Annotated[
    str, typer.Option(help="auto, tegrastats, hwmon, nvml, rapl, none or replay:FILE.")
]
