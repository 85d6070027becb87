"""Which board this machine is, and how it is set: read from files below a root path.

In a container the device tree is not to be seen; there a Jetson is told by its GPU, which lies in
the CPU's memory, or named by EDGESR_BOARD. Any other machine with an NVIDIA GPU is the board `gpu`,
whose facts the CUDA driver tells. Nothing here runs a program or needs root: the device tree names
the module, /etc/nvpmodel.conf names the modes and /var/lib/nvpmodel/status the one that is set.
Every function takes the root of the file system, so that a recorded tree stands in for a board.
"""

import os
import platform
import re
from dataclasses import dataclass, replace
from pathlib import Path

from edgesr.boards.board import Board, all_boards, family, get_board
from edgesr.boards.gpu import Gpu, first_gpu
from edgesr.errors import ConfigError

ROOT = Path("/")

NAMED_BY = "EDGESR_BOARD"
"""Environment variable that names the board."""

CLOCK_TOLERANCE = 0.05
"""A GPU's limit so close to that of its power mode is the mode's; drivers round to their steps."""


@dataclass(frozen=True)
class Device:
    """What this machine says about itself.

    Attributes:
        board: the board it is; None: no Jetson that is known, and no NVIDIA GPU.
        model: the device tree's model, or the machine architecture where there is no device tree.
        l4t: release of Jetson Linux such as `36.4.3`; None: not a Jetson.
        power_mode: name of the mode that is set, such as `25W`; None: unknown.
        power_modes: id by name, from the device's own table.
        gpu_mhz: current and highest GPU clock; None: unknown.
        memory_mib: memory that the system sees; None: unknown.
        cuda: version of the CUDA toolkit, `12.6.68`; None: none at its usual place.
        mode_gpu_mhz: GPU clock that the power mode allows; None: unknown, or no cap.
    """

    board: Board | None
    model: str
    l4t: str | None
    power_mode: str | None
    power_modes: dict[str, int]
    gpu_mhz: tuple[int, int] | None
    memory_mib: int | None
    cuda: str | None
    mode_gpu_mhz: int | None = None


def read_device(root: Path = ROOT) -> Device:
    """Read everything a file tells about this machine; what is absent is None."""
    board = detect_board(root) or board_of_gpu(first_gpu())
    power_mode = current_power_mode(root)
    return Device(
        board=board,
        model=_text(root / "proc/device-tree/model").strip("\0 \n") or platform.machine(),
        l4t=l4t_release(root),
        power_mode=power_mode,
        power_modes=power_mode_ids(root),
        gpu_mhz=None if board is None else gpu_clock_mhz(board, root),
        memory_mib=_memory_mib(root),
        cuda=cuda_version(root),
        mode_gpu_mhz=mode_gpu_mhz(power_mode, board, root),
    )


def detect_board(root: Path = ROOT) -> Board | None:
    """Return the Jetson, or the board that EDGESR_BOARD names; None: neither.

    Raises:
        ConfigError: EDGESR_BOARD names no board, or one with another GPU than this machine's.
    """
    found = _board_of_device_tree(root)
    name = os.environ.get(NAMED_BY)
    if found is not None and not name:
        return found
    gpu = first_gpu()
    found = found or _jetson_of_gpu(gpu, is_jetson=l4t_release(root) is not None)
    if not name:
        return found
    try:
        named = resolve_board(name, found)
    except ConfigError as error:
        raise error.at(NAMED_BY) from error
    if named.any_gpu:
        return board_of_gpu(gpu)
    if gpu is not None and gpu.compute_capability not in named.compute_capabilities:
        raise ConfigError(
            f"{NAMED_BY}={name} names the {named.title}, but this machine's GPU is {gpu.name} with "
            f"compute capability {gpu.compute_capability}",
            fix=f"unset {NAMED_BY}",
        )
    return named


def _board_of_device_tree(root: Path) -> Board | None:
    """Return the board whose module number is in the device tree, or None.

    The `compatible` strings look like `nvidia,p3768-0000+p3767-0005-super`: carrier, then module.
    """
    compatible = _text(root / "proc/device-tree/compatible")
    for board in all_boards():
        if any(part in compatible for part in board.compatible):
            return board
    return None


def _jetson_of_gpu(gpu: Gpu | None, is_jetson: bool) -> Board | None:
    """Return the Jetson with such a GPU and the nearest memory; None: it is none.

    Args:
        gpu: the GPU; its compute capability is that of no other device.
        is_jetson: whether this is Jetson Linux; else the driver must say that it is integrated.
    """
    if gpu is None or not (is_jetson or gpu.is_integrated):
        return None
    alike = [
        board
        for board in all_boards()
        if board.is_jetson and gpu.compute_capability in board.compute_capabilities
    ]
    return min(
        alike,
        key=lambda board: abs((board.memory_mib or 0) - (gpu.memory_mib or 0)),
        default=None,
    )


def taken_for(device: Device, board: Board, root: Path = ROOT) -> Device:
    """Return a device as the Jetson that its user says it is, where it cannot tell itself.

    That is a machine with Jetson Linux whose module is not to be seen, as in a container. Any other
    machine is returned as it is.
    """
    is_unknown = device.board is None or device.board.any_gpu
    if not (board.is_jetson and is_unknown and device.l4t is not None):
        return device
    return replace(
        device,
        board=board,
        gpu_mhz=gpu_clock_mhz(board, root),
        mode_gpu_mhz=mode_gpu_mhz(device.power_mode, board, root),
    )


def board_of_gpu(gpu: Gpu | None) -> Board | None:
    """Return the board that any machine with this GPU is, its facts filled in; None without one."""
    if gpu is None:
        return None
    board = next(board for board in all_boards() if board.any_gpu)
    return replace(
        board,
        title=gpu.name,
        compute_capabilities=(gpu.compute_capability,),
        memory_mib=gpu.memory_mib,
    )


def resolve_board(name: str | None, device_board: Board | None) -> Board:
    """Return the board a user means.

    Args:
        name: of a board or of a family of boards, whose member is then the one this
            machine is, else the largest; None: the board this machine is.
        device_board: the board this machine is.

    Raises:
        ConfigError: no such board, or no name on a machine that is none.
    """
    if name is None:
        if device_board is None:
            raise ConfigError(
                "say for which board; this machine is no known Jetson and shows no NVIDIA GPU",
                fix="edgesr build-engine --list-boards",
            )
        return device_board
    if device_board is not None and device_board.family == name:
        return device_board
    members = family(name)
    return members[0] if members else get_board(name)


def l4t_release(root: Path = ROOT) -> str | None:
    """Return the release of Jetson Linux, `36.4.3`, from /etc/nv_tegra_release."""
    text = _text(root / "etc/nv_tegra_release")
    match = re.search(r"R(\d+) \(release\), REVISION: ([\d.]+)", text)
    return f"{match[1]}.{match[2]}" if match else None


def power_mode_ids(root: Path = ROOT) -> dict[str, int]:
    """Return the id of each power mode by name, from this device's /etc/nvpmodel.conf."""
    text = _text(root / "etc/nvpmodel.conf")
    found = re.findall(r"^\s*<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+?)\s*>", text, re.MULTILINE)
    return {name: int(number) for number, name in found}


def current_power_mode(root: Path = ROOT) -> str | None:
    """Return the name of the power mode that is set, or None where it cannot be told."""
    match = re.search(r"pmode:(\d+)", _text(root / "var/lib/nvpmodel/status"))
    if match is None:
        return None
    names = {number: name for name, number in power_mode_ids(root).items()}
    return names.get(int(match[1]), match[1])


def mode_gpu_mhz(name: str | None, board: Board | None, root: Path = ROOT) -> int | None:
    """Return the GPU clock in MHz that a power mode allows, or None where nothing tells.

    The device's own /etc/nvpmodel.conf (`GPU MAX_FREQ 918000000` in the mode's part) comes before
    the board's data. A mode without a cap, -1 there, allows what the data say.
    """
    parts = re.split(r"^\s*<\s*POWER_MODEL\s+ID=", _text(root / "etc/nvpmodel.conf"), flags=re.M)
    for part in parts[1:]:
        if re.match(rf"\d+\s+NAME={re.escape(name or '')}\s*>", part):
            own = re.search(r"^\s*GPU\s+MAX_FREQ\s+(\d+)\s*$", part, re.MULTILINE)
            if own is not None:
                return int(own[1]) // 1_000_000
    modes = () if board is None else board.power_modes
    return next((mode.gpu_mhz for mode in modes if mode.name == name), None)


def is_above_mode(limit_mhz: float | None, mode_mhz: float | None) -> bool:
    """Return whether the GPU may clock higher than its power mode allows; False where unknown."""
    if limit_mhz is None or mode_mhz is None:
        return False
    return limit_mhz > (1 + CLOCK_TOLERANCE) * mode_mhz


def is_below_mode(limit_mhz: float | None, mode_mhz: float | None) -> bool:
    """Return whether the GPU may not reach what its power mode allows; False where unknown."""
    if limit_mhz is None or mode_mhz is None:
        return False
    return limit_mhz < (1 - CLOCK_TOLERANCE) * mode_mhz


def gpu_clock_mhz(board: Board, root: Path = ROOT) -> tuple[int, int] | None:
    """Return the GPU's current and highest clock in MHz, or None where no file tells."""
    for glob in board.gpu_clock:
        for folder in sorted(root.glob(glob)):
            current, highest = (_text(folder / name) for name in ("cur_freq", "max_freq"))
            if current.strip().isdigit() and highest.strip().isdigit():
                return int(current) // 1_000_000, int(highest) // 1_000_000
    return None


def cuda_version(root: Path = ROOT) -> str | None:
    """Return the version of the CUDA toolkit in /usr/local/cuda, or None."""
    text = _text(root / "usr/local/cuda/version.json")
    match = re.search(r'"cuda"\s*:\s*\{[^}]*"version"\s*:\s*"([\d.]+)"', text)
    return match[1] if match else None


def _memory_mib(root: Path) -> int | None:
    match = re.search(r"^MemTotal:\s*(\d+) kB", _text(root / "proc/meminfo"), re.MULTILINE)
    return int(match[1]) // 1024 if match else None


def _text(path: Path) -> str:
    """Return a file's text, or nothing where it does not exist or may not be read."""
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""
