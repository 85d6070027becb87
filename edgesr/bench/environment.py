"""The machine of a bench: what it is, and how it stands before and after.

Everything is read from files below a root path, so a recorded tree stands in for a board; what
cannot be read is None or absent, never an error.
"""

import os
import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from edgesr.boards.device import ROOT, read_device
from edgesr.decode import Amount, Count, Number, Text

_PACKAGES = ("edgesr", "numpy", "opencv-python", "onnxruntime", "torch", "tensorrt", "pycuda")


@dataclass(frozen=True)
class Machine:
    """What does not change during a run.

    Attributes:
        model: of the board or machine.
        board: its title, where edgesr knows it.
        cpu: name of the processor; None: unknown.
        cpu_cores: cores that this process may use.
        memory_mib: memory that the system sees.
        system: operating system and kernel.
        l4t: release of Jetson Linux; None: not a Jetson.
        cuda: version of the CUDA toolkit; None: none.
        python: version.
        packages: version by name, of those installed.
        mode_gpu_mhz: GPU clock that the power mode allows; None: unknown.
    """

    model: Text
    board: Text | None
    cpu: Text | None
    cpu_cores: Count
    memory_mib: Count | None
    system: Text
    l4t: Text | None
    cuda: Text | None
    python: Text
    packages: dict[str, Text]
    mode_gpu_mhz: Amount | None


@dataclass(frozen=True)
class MachineState:
    """How a machine stands at one moment.

    Attributes:
        power_mode: its name; None: unknown.
        gpu_mhz: clock now; None: unknown.
        gpu_limit_mhz: clock the GPU may reach; None: unknown.
        cpu_mhz: fastest core now; None: unknown.
        temperatures_c: by thermal zone.
        throttle_events: counts since boot, by name: over-current alarms, thermal throttling.
        throttling: steps by which a thermal alert holds a clock down now, by name, if above 0.
        load_average: processes that wanted to run over the last minute.
    """

    power_mode: Text | None
    gpu_mhz: Amount | None
    gpu_limit_mhz: Amount | None
    cpu_mhz: Amount | None
    temperatures_c: dict[str, Number]
    throttle_events: dict[str, Count]
    throttling: dict[str, Count]
    load_average: Amount


def read_machine(root: Path = ROOT) -> Machine:
    """Describe this machine."""
    device = read_device(root)
    board = device.board
    return Machine(
        model=device.model,
        board=None if board is None else board.title,
        cpu=_cpu_name(root),
        cpu_cores=len(os.sched_getaffinity(0)),
        memory_mib=device.memory_mib,
        system=f"{platform.system()} {platform.release()}",
        l4t=device.l4t,
        cuda=device.cuda,
        python=platform.python_version(),
        packages=_packages(),
        mode_gpu_mhz=device.mode_gpu_mhz,
    )


def read_state(root: Path = ROOT) -> MachineState:
    """Read clocks, power mode, temperatures and counters of throttling now."""
    device = read_device(root)
    return MachineState(
        power_mode=device.power_mode,
        gpu_mhz=None if device.gpu_mhz is None else device.gpu_mhz[0],
        gpu_limit_mhz=None if device.gpu_mhz is None else device.gpu_mhz[1],
        cpu_mhz=_cpu_mhz(root),
        temperatures_c=temperatures_c(root),
        throttle_events=_throttle_events(root),
        throttling=_throttling(root),
        load_average=round(os.getloadavg()[0], 2),
    )


def _packages() -> dict[str, str]:
    installed = {found.name.lower(): found.version for found in distributions()}
    return {name: installed[name] for name in _PACKAGES if name in installed}


def _cpu_name(root: Path) -> str | None:
    match = re.search(r"^model name\s*:\s*(.+)$", _text(root / "proc/cpuinfo"), re.MULTILINE)
    return match[1].strip() if match else None


def _cpu_mhz(root: Path) -> float | None:
    """Fastest core, by cpufreq in kHz, or as /proc/cpuinfo prints it."""
    folder = root / "sys/devices/system/cpu"
    clocks = [_number(file) for file in folder.glob("cpu[0-9]*/cpufreq/scaling_cur_freq")]
    known = [clock / 1000 for clock in clocks if clock is not None]
    text = _text(root / "proc/cpuinfo")
    printed = [float(mhz) for mhz in re.findall(r"^cpu MHz\s*:\s*([\d.]+)", text, re.MULTILINE)]
    return round(max(known or printed), 1) if known or printed else None


def temperatures_c(root: Path) -> dict[str, float]:
    """Temperature by zone; a zone whose unit has no power cannot be read or says -256."""
    found = {}
    for zone in _numbered(root.glob("sys/class/thermal/thermal_zone[0-9]*")):
        value = _number(zone / "temp")
        if value is not None and value > -200_000:
            found[_text(zone / "type").strip() or zone.name] = value / 1000
    return found


def _throttle_events(root: Path) -> dict[str, int]:
    """Counters that only rise.

    On an Orin `soctherm_oc` counts oc1 under-voltage, oc2 average and oc3 momentary over-current
    (NVIDIA Jetson Linux developer guide), and `*-throttle-alert` thermal trips; on an x86 CPU the
    kernel counts thermal events per core.
    """
    found = {}
    for file in _numbered(root.glob("sys/class/hwmon/hwmon*/oc[0-9]_event_cnt")):
        if (count := _number(file)) is not None:
            found[file.name.removesuffix("_event_cnt")] = count
    for file in sorted(root.glob("sys/devices/platform/*-throttle-alert/thermal_trip_event")):
        if (count := _number(file)) is not None:
            found[f"{file.parent.name.removesuffix('-throttle-alert')} thermal"] = count
    cores = root.glob("sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/core_throttle_count")
    counts = [count for file in cores if (count := _number(file)) is not None]
    if counts:
        found["cpu thermal"] = sum(counts)
    return found


def _throttling(root: Path) -> dict[str, int]:
    """Cooling devices of a Jetson that slow it down when they act, such as `gpu-throttle-alert`."""
    found = {}
    for device in _numbered(root.glob("sys/class/thermal/cooling_device[0-9]*")):
        name, state = _text(device / "type").strip(), _number(device / "cur_state")
        if "throttle" in name and state:
            found[name] = state
    return found


def _numbered(paths: Iterable[Path]) -> list[Path]:
    """Sort paths so that 10 comes after 9."""
    return sorted(paths, key=lambda path: [int(n) for n in re.findall(r"\d+", str(path))])


def _number(file: Path) -> int | None:
    try:
        return int(_text(file))
    except ValueError:
        return None


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", errors="replace")
    except OSError:
        return ""
