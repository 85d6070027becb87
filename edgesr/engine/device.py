"""Which board this machine is, and how it is set: read from files below a root path.

A machine that no file names a Jetson, but that has an NVIDIA GPU, is the board `gpu`, whose facts
the CUDA driver tells. Nothing here runs a program or needs root: the device tree names the module,
/etc/nvpmodel.conf names the modes and /var/lib/nvpmodel/status the one that is set. Every function
takes the root of the file system, so that a recorded tree stands in for a board.
"""

import platform
import re
from dataclasses import dataclass, replace
from pathlib import Path

from edgesr.engine.board import Board, all_boards, family, get_board
from edgesr.engine.gpu import Gpu, first_gpu
from edgesr.errors import ConfigError

ROOT = Path("/")


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
    """

    board: Board | None
    model: str
    l4t: str | None
    power_mode: str | None
    power_modes: dict[str, int]
    gpu_mhz: tuple[int, int] | None
    memory_mib: int | None
    cuda: str | None


def read_device(root: Path = ROOT) -> Device:
    """Read everything a file tells about this machine; what is absent is None."""
    board = detect_board(root) or board_of_gpu(first_gpu())
    return Device(
        board=board,
        model=_text(root / "proc/device-tree/model").strip("\0 \n") or platform.machine(),
        l4t=l4t_release(root),
        power_mode=current_power_mode(root),
        power_modes=power_mode_ids(root),
        gpu_mhz=None if board is None else gpu_clock_mhz(board, root),
        memory_mib=_memory_mib(root),
        cuda=cuda_version(root),
    )


def detect_board(root: Path = ROOT) -> Board | None:
    """Return the board whose module number is in the device tree, or None.

    The `compatible` strings look like `nvidia,p3768-0000+p3767-0005-super`: carrier, then module.
    """
    compatible = _text(root / "proc/device-tree/compatible")
    for board in all_boards():
        if any(part in compatible for part in board.compatible):
            return board
    return None


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
        name: of a board or of a family (`jetson-orin-nano`), whose member is then the one this
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
