"""`edgesr build-engine`: from ONNX to a TensorRT engine, on the board that will run it."""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgesr.artifacts.onnx_manifest import PRECISIONS
from edgesr.boards.board import family, shared_families
from edgesr.cli import _network as options
from edgesr.cli._console import progress, say
from edgesr.cli._ignored import refuse_ignored
from edgesr.cli._signature import Command, option, own_options, with_options
from edgesr.engine.named_model import NETWORK
from edgesr.errors import ConfigError, shell

if TYPE_CHECKING:
    from edgesr.boards.board import Board
    from edgesr.boards.device import Device
    from edgesr.engine.build import BuildRequest


FEW = 3
"""Names of layers that one line of output shows; each is 120 characters at most."""


def _with_families(command: Command) -> Command:
    """Return a command that takes the name of a family of boards as an option: `--NAME`."""
    by_keyword = {name.replace("-", "_"): name for name in shared_families()}

    def with_all(context: typer.Context, board: str | None, **given: Any) -> None:
        named = [name for keyword, name in by_keyword.items() if given.pop(keyword)]
        if len(named) + (board is not None) > 1:
            options = ["board"] * (board is not None) + named
            where = " and ".join(f"--{name}" for name in options)
            raise ConfigError("name one board", where=where)
        command(context=context, board=board or next(iter(named), None), **given)

    families = [
        option(
            keyword,
            Annotated[
                bool,
                typer.Option(
                    f"--{name}",
                    help=f"Build for this board; which one ({_members(name)}) is detected.",
                ),
            ],
            False,
        )
        for keyword, name in by_keyword.items()
    ]
    return with_options(with_all, [*own_options(command), *families], like=command)


def _members(name: str) -> str:
    """Return what tells the boards of a family apart: `4gb or 8gb`."""
    return " or ".join(sorted(board.name.removeprefix(f"{name}-") for board in family(name)))


@_with_families
def command(
    context: typer.Context,
    model: Annotated[
        str,
        typer.Option("-m", "--model", help="Name of a network, or an .onnx file."),
    ] = NETWORK,
    scale: options.Scale = None,
    board: Annotated[
        str | None,
        typer.Option(
            help="Name of the board to build for. Default: the board that this machine is."
        ),
    ] = None,
    list_boards: Annotated[
        bool, typer.Option("--list-boards", help="List the names of all boards and stop.")
    ] = False,
    power_mode: Annotated[
        str | None,
        typer.Option(
            help="Refuse to build unless the board is in this power mode, such as 15w or "
            "maxn-super: the build times kernels at its clocks."
        ),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="Number format that the engine computes in: fp32, fp16 or int8. Default: the "
            "file's, fp16 for a name."
        ),
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, help="Number of tiles that one call of the engine takes.")
    ] = None,
    plugin: Annotated[
        bool,
        typer.Option(
            help="Compute each selective scan by one CUDA kernel, which is compiled where "
            "nvcc and TensorRT's headers are installed."
        ),
    ] = True,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Read and validate the model and list its layers, on any machine; build nothing.",
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File of the engine. Default: a name that says what it is, in "
            "$EDGESR_HOME/engines.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Build a TensorRT engine, on the board that will run it."""
    from edgesr.boards.device import read_device, resolve_board, taken_for
    from edgesr.engine.build import BuildRequest
    from edgesr.engine.named_model import named_model
    from edgesr.runtime.select import Request

    if list_boards:
        others = {one.name for one in context.command.params if one.name} - {"as_json"}
        refuse_ignored(context, "with --list-boards", *(others - {"list_boards"}))
        _list_boards(as_json)
        return
    if check:
        refuse_ignored(context, "with --check, which builds nothing", "output", "plugin")
    if precision not in (None, *PRECISIONS):
        raise ConfigError(
            f"there are {', '.join(PRECISIONS)}; not '{precision}'", where="--precision"
        )
    device = read_device()
    target = resolve_board(board, device.board)
    device = taken_for(device, target)
    if power_mode is not None:
        target.power_mode(power_mode)
    asked = Request(model, scale)
    onnx = asked.path
    if onnx is None:
        precision = precision or "fp16"
        onnx = named_model(model, asked.scale_of_name, precision, batch)
    else:
        refuse_ignored(context, "with a file, which has its own", "scale")
    request = BuildRequest(onnx, target, precision, batch, power_mode, plugin)
    if check:
        _check(request, as_json)
    else:
        _build(request, device, output, as_json)


def _build(request: "BuildRequest", device: "Device", output: Path | None, as_json: bool) -> None:
    from edgesr.artifacts.home import timing_caches
    from edgesr.engine.build import build
    from edgesr.engine.layers import count_in

    with progress(f"building for {request.board.title}", None) as advance:
        path, manifest = build(
            request,
            device,
            timing_caches(),
            output,
            on_step=lambda phase, done, total: advance(int(done > 0), f"{phase} {done}/{total}"),
            on_notice=lambda line: say(line, err=True),
        )
    if as_json:
        say(
            json.dumps(
                {"engine": str(path), "onnx": str(request.onnx)} | asdict(manifest), indent=2
            )
        )
        return
    last = manifest.attempts[-1]
    say(f"{path}  ({path.stat().st_size / 1e6:.1f} MB)")
    say(
        f"  {manifest.network} x{manifest.scale}, {manifest.precision}, tiles of {manifest.tile}, "
        f"batch {manifest.batch}, TensorRT {manifest.tensorrt}"
    )
    say(
        f"  parsed in {manifest.parse_s or 0.0:.1f} s, built in {manifest.build_s:.1f} s, "
        f"{last.workspace_mib} MiB of workspace, level {last.optimization_level}, timing cache "
        f"{manifest.timing_cache}"
    )
    if manifest.plugin is not None:
        say(f"  scans and norms run in the plugins of {manifest.plugin.file}")
    if manifest.fp32_layers:
        total = sum(sum(row.values()) for row in manifest.layers.values())
        number = count_in("fp32", manifest.layers)
        first = ", ".join(manifest.fp32_layers[:FEW])
        say(
            f"  {number} of {total} layers compute in fp32: {first}"
            + (" ... (the manifest lists them)" if number > FEW else "")
        )
    if manifest.skipped_tactics:
        say(f"  {manifest.skipped_tactics} tactics were skipped for want of memory")
    say(f"  next: edgesr verify -m {shell(path)} --against {shell(request.onnx)}")


def _check(request: "BuildRequest", as_json: bool) -> None:
    from edgesr.engine.build import check_model
    from edgesr.engine.stack import INSTALL, find_stack

    own = request.board.tensorrt_modules
    stack = find_stack((*own, *(name for name in INSTALL if name not in own)))
    manifest, parsed = check_model(request, stack)
    if as_json:
        document = {
            "onnx": str(request.onnx),
            "manifest": asdict(manifest),
            "board": request.board.name,
            "tensorrt_module": stack.name,
            "tensorrt": stack.version,
            "typing": stack.typing.value,
            "inputs": [asdict(tensor) for tensor in parsed.inputs],
            "outputs": [asdict(tensor) for tensor in parsed.outputs],
            "layers": [asdict(layer) for layer in parsed.layers],
        }
        say(json.dumps(document, indent=2))
        return
    width = max(len(layer.kind) for layer in parsed.layers)
    for layer in parsed.layers:
        say(f"{layer.kind:{width}}  {layer.dtype:5}  {layer.name}")
    counts = Counter(layer.dtype for layer in parsed.layers)
    types = ", ".join(f"{counts[name]} in {name}" for name in ("int8", "fp16", "fp32"))
    say(f"{len(parsed.layers)} layers, {types}; parsed by {stack.name} {stack.version}")
    if stack.name not in own:
        say(f"  that is not the {request.board.title}'s own TensorRT, which may differ")


def _list_boards(as_json: bool) -> None:
    from edgesr.boards.board import all_boards

    if as_json:
        say(json.dumps([asdict(board) for board in all_boards()], indent=2))
        return
    for board in all_boards():
        say(f"{board.name:22} {_describe(board)}")


def _describe(board: "Board") -> str:
    modes = ", ".join(mode.option for mode in board.power_modes)
    own = " / ".join(board.compute_capabilities) or "read from the device"
    parts = [board.title, f"compute capability {own}"]
    return "; ".join(parts + ([f"power modes {modes}"] if modes else []))
