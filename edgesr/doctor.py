"""What is on this machine, what is missing, and what to type next."""

import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from edgesr.artifacts import home
from edgesr.artifacts.engine_files import engine_paths
from edgesr.artifacts.engine_manifest import EngineManifest
from edgesr.boards.board import Board
from edgesr.boards.device import ROOT, Device, is_above_mode, is_below_mode, read_device
from edgesr.boards.gpu import Gpu, first_gpu
from edgesr.engine.find import read_engine
from edgesr.engine.loading import load_failure, load_fix
from edgesr.engine.plugin_build import Lack, find_tools
from edgesr.engine.stack import Stack, find_stack
from edgesr.errors import EdgesrError, EngineError, shell
from edgesr.version import __version__
from edgesr.weights import shipped_names

OK, NOTE, MISSING = "ok", "note", "missing"

_COMPILED = {"numpy", "cv2", "onnxruntime"}
"""Modules with compiled parts that every command needs; that they are there is not enough."""


@dataclass(frozen=True)
class Check:
    """One finding of `edgesr doctor`.

    Attributes:
        name: what was looked at.
        state: `ok`; `note`: worth knowing, nothing fails for it; `missing`: something needed is.
        text: what was found.
        fix: what to type; None: nothing to do.
    """

    name: str
    state: str
    text: str
    fix: str | None = None


def diagnose(root: Path = ROOT, engines: Path | None = None) -> tuple[Check, ...]:
    """Look at everything `upscale`, `build-engine` and `bench` need.

    Args:
        root: root of the file system that describes the board.
        engines: folder of engines; None: the person's own.
    """
    device = read_device(root)
    is_jetson = device.board is not None and device.board.is_jetson
    return (
        Check("edgesr", OK, f"{__version__}, Python {platform.python_version()}"),
        *_packages(),
        _weights(),
        _board(device),
        *(_jetson(device) if is_jetson else ()),
        *_tensorrt(device),
        *_sensors(root, device),
        *_engines(home.engines() if engines is None else engines),
    )


def next_steps(checks: tuple[Check, ...], is_jetson: bool) -> tuple[str, ...]:
    """Return the commands to type, in order: first what is missing, then what comes after."""
    fixes = [check.fix for check in checks if check.state == MISSING and check.fix]
    if fixes:
        return tuple(dict.fromkeys(fixes))
    engines = [check for check in checks if check.name.endswith(".engine")]
    if is_jetson and not any(check.state == OK for check in engines):
        return ("edgesr build-engine",)
    unverified = [check.fix for check in engines if check.state == OK and check.fix]
    return tuple(unverified) or ("edgesr upscale photo.png", "edgesr bench --samples 1000")


def _packages() -> Iterator[Check]:
    needed = ("numpy", "opencv-python", "onnxruntime", "typer", "rich")
    for name in needed:
        yield _package(name, MISSING, f"pip install '{name}'")
    for name in ("torch", "onnx"):
        found = _package(name, NOTE, "pip install 'edgesr[train]'")
        text = found.text if found.state == OK else "not installed; only train and export need it"
        yield Check(name, found.state, text, found.fix)


def _package(name: str, otherwise: str, fix: str) -> Check:
    module = {"opencv-python": "cv2"}.get(name, name)
    if find_spec(module) is None:
        return Check(name, otherwise, "not installed", fix)
    reason = load_failure(module) if module in _COMPILED else None
    if reason is not None:
        fix = load_fix(module, reason) or f"pip install --force-reinstall '{name}'"
        return Check(name, MISSING, f"installed, but it cannot be loaded: {reason}", fix)
    try:
        return Check(name, OK, metadata.version(name))
    except metadata.PackageNotFoundError:  # cv2 of the system or of opencv-python-headless
        return Check(name, OK, "installed, version unknown")


def _weights() -> Check:
    names = [f"{name} x{scale}" for name, scale in shipped_names()]
    if not names:
        return Check("models", MISSING, "none in this installation", "pip install --force edgesr")
    return Check("models", OK, ", ".join(names))


def _board(device: Device) -> Check:
    board = device.board
    if board is None:
        return Check(
            "board",
            NOTE,
            f"{device.model}: no Jetson that is known and no NVIDIA GPU; engines cannot run",
        )
    if board.any_gpu:
        memory = "" if board.memory_mib is None else f", {board.memory_mib} MiB"
        return Check(
            "board", OK, f"{board.title}{memory} (--board {board.name}); {_can_run(board)}"
        )
    return Check("board", OK, f"{board.title} ({device.model})")


def _can_run(board: Board) -> str:
    """Say whether engines can run on a machine that needs none to be useful."""
    try:
        find_stack(board.tensorrt_modules)
    except EdgesrError:
        return "engines can run once TensorRT is installed"
    if find_spec("pycuda") is None:
        return "engines can be built, and run once pycuda is installed"
    return "engines can run"


def _jetson(device: Device) -> Iterator[Check]:
    if device.l4t is None:
        yield Check("Jetson Linux", NOTE, "release unknown (/etc/nv_tegra_release)")
    else:
        yield Check("Jetson Linux", OK, device.l4t)
    if device.cuda is None:
        yield Check(
            "CUDA", MISSING, "no toolkit in /usr/local/cuda", "sudo apt install nvidia-jetpack"
        )
    else:
        yield Check("CUDA", OK, device.cuda)
    if device.memory_mib is not None:
        yield Check("memory", OK, f"{device.memory_mib} MiB")
    yield from _power_mode(device)


def _power_mode(device: Device) -> Iterator[Check]:
    if device.power_mode is None or device.board is None:
        yield Check("power mode", NOTE, "unknown", "sudo nvpmodel -q")
        return
    known = ", ".join(f"{name} ({number})" for name, number in device.power_modes.items())
    yield Check("power mode", OK, f"{device.power_mode}; there are {known or 'no others'}")
    if device.gpu_mhz is None:
        yield Check("GPU clock", NOTE, "no file under /sys tells")
        return
    now, highest = device.gpu_mhz
    expected = device.mode_gpu_mhz
    if is_above_mode(highest, expected):
        number = device.power_modes.get(device.power_mode)
        yield Check(
            "GPU clock",
            NOTE,
            f"may reach {highest} MHz, though {device.power_mode} allows {expected}: the mode was "
            "not applied, and a bench would be of another mode",
            "sudo nvpmodel -m ID" if number is None else f"sudo nvpmodel -m {number}",
        )
    elif is_below_mode(highest, expected):
        yield Check(
            "GPU clock",
            NOTE,
            f"capped at {highest} MHz, though {device.power_mode} allows {expected}: the device "
            "tree or the boot firmware is not of the mode's release",
            "reflash with the -super configuration of JetPack 6.2 or later",
        )
    else:
        yield Check("GPU clock", OK, f"{now} MHz, up to {highest}")


def _tensorrt(device: Device) -> Iterator[Check]:
    board = device.board
    needed = MISSING if board is not None and board.is_jetson else NOTE
    modules = ("tensorrt_rtx", "tensorrt") if board is None else board.tensorrt_modules
    stack = None
    try:
        stack = find_stack(modules)
        yield Check("TensorRT", OK, f"{stack.name} {stack.version}, {stack.typing.value}")
    except EdgesrError as error:
        yield Check("TensorRT", needed, error.what, error.advice)
    gpu = first_gpu()
    if gpu is None:
        yield Check("GPU", needed, "the CUDA driver shows none", "reboot")
    else:
        yield Check("GPU", OK, f"{gpu.name}, compute capability {gpu.compute_capability}")
    if stack is not None and gpu is not None:
        yield _plugins(stack, gpu)
    yield _package("pycuda", needed, "PATH=/usr/local/cuda/bin:$PATH pip install 'edgesr[jetson]'")


def _plugins(stack: Stack, gpu: Gpu) -> Check:
    """Say whether `build-engine` can compile the plugins, and what it costs where it cannot."""
    try:
        tools = find_tools(stack, gpu, "edgesr build-engine --no-plugin")
    except EdgesrError as error:
        return Check("plugins", NOTE, error.what, error.advice)
    if isinstance(tools, Lack):
        return Check("plugins", NOTE, tools.cost, tools.fix)
    return Check(
        "plugins",
        OK,
        f"build-engine can compile them: nvcc {tools.nvcc.version}, NvInfer.h in {tools.include}",
    )


def _sensors(root: Path, device: Device) -> Iterator[Check]:
    from edgesr.power.board_rails import hwmon_globs
    from edgesr.power.sampler_hwmon import find_channels

    rails = [channel.rail for channel in find_channels(root, hwmon_globs(device.board))]
    tool = shutil.which("tegrastats")
    if device.board is None or not device.board.is_jetson:
        return
    fix = "sudo apt install nvidia-l4t-tools"
    yield Check("tegrastats", OK, tool) if tool else Check("tegrastats", NOTE, "not found", fix)
    if rails:
        yield Check("power rails", OK, ", ".join(rails))
    else:
        yield Check("power rails", NOTE, "no INA3221 under /sys; bench can use tegrastats")


def _engines(folder: Path) -> Iterator[Check]:
    try:
        engines = engine_paths(folder)
    except EngineError as error:
        yield Check("engines", NOTE, error.line, error.advice)
        return
    for engine in engines:
        try:
            manifest = read_engine(engine).manifest
        except EdgesrError as error:
            yield Check(engine.name, NOTE, f"cannot run here: {error.what}", error.advice)
            continue
        yield _usable(engine, manifest)


def _usable(engine: Path, manifest: EngineManifest) -> Check:
    title = f"{manifest.network} x{manifest.scale} {manifest.precision} for {manifest.board}"
    if manifest.verification is None:
        fix = f"edgesr verify -m {shell(engine)}"
        return Check(engine.name, OK, f"{title}, not verified", fix)
    return Check(engine.name, OK, f"{title}, verified: {manifest.verification.psnr_db:.1f} dB")
