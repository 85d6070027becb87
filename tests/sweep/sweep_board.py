"""A board for sweeps: stand-ins of its programs, whose mode and clocks are files."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from engine_fixtures import NVPMODEL as TABLE_OF_MODES

HERE = Path(__file__).parent
POWER = HERE.parent / "power"

# As the real ones: the mode in a file, 7W needs a reboot, clocks are stored, locked and restored.
NVPMODEL = """
case "$1" in
-q) echo "NV Power Mode: x"; cat "$STATE/mode" ;;
-m) read -r answer; echo "nvpmodel -m $2 $answer" >>"$STATE/calls"
    case " $REFUSED " in *" $2 "*) echo "reboot?"; exit 1 ;; esac
    : >"$STATE/begun-nvpmodel"; sleep "${SLOW_S:-0}"
    echo "$2" >"$STATE/mode" ;;
esac
"""
JETSON_CLOCKS = """
echo "jetson_clocks $1" >>"$STATE/calls"
case "$1" in
--store) cp "$STATE/clocks" "$2" ;;
--restore) cp "$2" "$STATE/clocks" ;;
*) : >"$STATE/begun-jetson_clocks"; sleep "${SLOW_S:-0}"
    echo locked >"$STATE/clocks"; : >"$STATE/locked" ;;
esac
"""
FEW = ("--samples", "3", "--warmup", "1", "--rounds", "1")
QUICK = (*FEW, "--idle-s", "2.0", "--window-s", "2.2", "--interval-s", "0.05")


class Board:
    """The stand-ins, made where there are none yet, and how they stand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        tools = folder / "bin"
        if not self.state.exists():
            self._make(tools)
        self.environment = os.environ | {
            "PATH": f"{tools}:{POWER / 'stand_in'}:{os.environ['PATH']}",
            "STATE": str(self.state),
            "TABLE": str(folder / "nvpmodel.conf"),
            "REFUSED": "3",
            "STAND_IN_LOG": str(POWER / "data/logs/orin_nano_maxn_super_100ms_tensorrt.txt"),
        }

    def _make(self, tools: Path) -> None:
        for path in (self.state, tools):
            path.mkdir()
        for name, text in {"nvpmodel": NVPMODEL, "jetson_clocks": JETSON_CLOCKS}.items():
            (tools / name).write_text(f"#!/usr/bin/env bash\n{text}")
            (tools / name).chmod(0o755)
        (self.state / "mode").write_text("1\n")
        (self.state / "clocks").write_text("as it was\n")
        (self.state / "calls").touch()
        (self.folder / "nvpmodel.conf").write_text(TABLE_OF_MODES)

    def start(self, *arguments: str, **extra: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, HERE / "driver.py", *arguments],
            cwd=self.folder,
            env=self.environment | extra,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **extra: str) -> tuple[int, str, str]:
        process = self.start(*arguments, **extra)
        output, errors = process.communicate(timeout=300)
        return process.returncode, output, errors

    def sweep(self, *arguments: str, **extra: str) -> tuple[int, str, str]:
        return self.run(*SWEEP, *arguments, **extra)

    def sweep_without_power(self, *arguments: str, **extra: str) -> tuple[int, str, str]:
        """Run a sweep that needs no windows of seconds, where no power is looked at."""
        return self.run(*START, *FEW, "--power", "none", *arguments, **extra)

    def wait_for(self, path: Path) -> None:
        deadline = time.monotonic() + 120
        while not path.exists():
            assert time.monotonic() < deadline, f"{path} never came"
            time.sleep(0.05)

    def wait_until_put_back(self) -> None:
        deadline = time.monotonic() + 60
        while (self.state / "kept/mode").exists():
            assert time.monotonic() < deadline, "nobody put it back"
            time.sleep(0.05)

    @property
    def stands(self) -> tuple[str, str]:
        return tuple((self.state / name).read_text().strip() for name in ("mode", "clocks"))  # type: ignore[return-value]

    @property
    def calls(self) -> list[str]:
        return (self.state / "calls").read_text().splitlines()


AS_IT_WAS = ("1", "as it was")
START = ("bench", "--sweep", "power-mode", "-m", "esr-fast", "-o", "out")
SWEEP = (*START, *QUICK)


def stop(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    """Send a signal to the whole group, as a terminal does."""
    os.killpg(process.pid, number)
