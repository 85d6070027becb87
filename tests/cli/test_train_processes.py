"""Runs as users start them: killed by the system, spread over processes."""

import contextlib
import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from forked import Forked
from safetensors.numpy import load_file

from edgesr.cli import main

REPEATABLE = ("step", "loss", "lr", "grad_norm")
WEIGHTS = "mambalitesr_D8-G1-B1-N2_x4.safetensors"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    city = cv2.imread(str(Path(__file__).parents[1] / "data" / "city_512.jpg"))
    for number in range(3):
        corner = 90 * number
        cv2.imwrite(str(folder / f"{number}.png"), city[corner : corner + 80, corner : corner + 64])
    return folder


@pytest.fixture(scope="module")
def forked() -> Iterator[Forked]:
    """Starts programs that find torch imported, which is what takes longest here."""
    with Forked() as started:
        yield started


STEPS = 100


def _arguments(pictures: Path, out: Path) -> list[str]:
    text = (
        f"train --data {pictures} -o {out} --model mambalitesr:D8-G1-B1-N2 --patch 8 --batch 4"
        f" --steps {STEPS} --lr 3e-3 --warmup 5 --precision fp32 --device cpu --log-every 5"
        " --checkpoint-every 20"
    )
    return text.split()


def _run(starter: list[str], arguments: list[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", *starter, *arguments], stdout=subprocess.PIPE)


def _train_here(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert not ended.value.code


def _rows(out: Path) -> list[tuple[str, ...]]:
    with (out / "metrics.csv").open() as file:
        return [tuple(row[name] for name in REPEATABLE) for row in csv.DictReader(file)]


def _finish(process: "subprocess.Popen[bytes]") -> None:
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert b"Warning" not in output, output


@pytest.fixture(scope="module")
def whole(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run by one process without interruption."""
    out = tmp_path_factory.mktemp("whole") / "run"
    _train_here(_arguments(pictures, out))
    return out


def test_killed_and_resumed_gives_the_same_losses(
    pictures: Path, whole: Path, tmp_path: Path
) -> None:
    killed = _arguments(pictures, tmp_path / "killed")
    process = _run(["edgesr"], killed)
    metrics = tmp_path / "killed" / "metrics.csv"
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline:  # wait for rows that lie beyond a checkpoint
        lines = metrics.read_text().splitlines() if metrics.exists() else []
        if len(lines) > 2 and (step := int(lines[-1].split(",")[0])) > 20 and step % 20:
            break
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert len(_rows(tmp_path / "killed")) < STEPS // 5

    _train_here([*killed, "--resume"])
    assert _rows(tmp_path / "killed") == _rows(whole)
    first, second = (load_file(out / WEIGHTS) for out in (tmp_path / "killed", whole))
    for name, value in first.items():
        np.testing.assert_array_equal(second[name], value)


def test_a_signal_ends_a_run_with_a_checkpoint(
    pictures: Path, forked: Forked, tmp_path: Path
) -> None:
    """Started on a terminal, where the bar shows that training has begun."""
    arguments = [*_arguments(pictures, tmp_path / "run"), "--steps", "1000000"]
    terminal, of_child = os.openpty()
    with (tmp_path / "said").open("w+") as said:
        child = forked.start(arguments, said.fileno(), of_child)
        os.close(of_child)
        shown = b""
        while not re.search(rb"training.*step \d+ loss 0\.\d+", shown):
            shown += os.read(terminal, 4096)
        child.send_signal(signal.SIGTERM)
        drain = threading.Thread(target=_drain, args=(terminal,))
        drain.start()
        code = child.wait(60)
        drain.join()
        said.seek(0)
        output = said.read()
    os.close(terminal)
    assert code == 0
    (step,) = re.findall(r"step (\d+): stopped; go on with --resume", output)
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert state["step"] == int(step) == int(_rows(tmp_path / "run")[-1][0])


@pytest.mark.parametrize("cached", [pytest.param(False, marks=pytest.mark.long), True])
def test_a_signal_ends_the_decoding(cached: bool, forked: Forked, tmp_path: Path) -> None:
    """Two thousand pictures take minutes; of each only the name is another."""
    city = Path(__file__).parents[1] / "data" / "city_512.jpg"
    large = cv2.resize(cv2.imread(str(city)), (1024, 1024))
    cv2.imwrite(str(tmp_path / "large.png"), large, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    (tmp_path / "pictures").mkdir()
    for number in range(2000):
        (tmp_path / f"pictures/{number}.png").symlink_to(tmp_path / "large.png")
    run, cache = tmp_path / "run", tmp_path / "cache"
    arguments = [*_arguments(tmp_path / "pictures", run), *(["--cache", str(cache)] * cached)]
    terminal, of_child = os.openpty()
    with (tmp_path / "said").open("w") as said:
        child = forked.start(arguments, said.fileno(), of_child)
    os.close(of_child)
    shown = b""
    while b"decoding" not in shown:
        shown += os.read(terminal, 4096)
    child.send_signal(signal.SIGTERM)
    with contextlib.suppress(OSError):  # at its end a terminal raises
        while read := os.read(terminal, 4096):
            shown += read
    code = child.wait(60)
    os.close(terminal)
    assert code == 130
    assert b"stopped before the first step, while pictures were prepared" in shown
    assert all(int(number) < 100 for number in re.findall(rb"decoding (\d+) of 2000", shown))
    assert not list(run.iterdir())
    assert not cached or not list(cache.iterdir())


def _drain(terminal: int) -> None:
    """Read what is left; at its end a terminal raises instead of giving nothing."""
    with contextlib.suppress(OSError):
        while os.read(terminal, 4096):
            pass


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@pytest.mark.long
def test_two_machines_distil_as_one_process_does(
    pictures: Path, whole: Path, tmp_path: Path
) -> None:
    """Two agents of torchrun of two processes, each with a cache of its own, as on two machines.

    The gradient of L2 is smooth, so that the order of a sum stays a matter of rounding.
    """
    port = _free_port()

    def distil(out: str, *more: str) -> list[str]:
        arguments = _arguments(pictures, tmp_path / out)
        arguments[0] = "distill"
        return [
            *arguments,
            "--teacher",
            str(whole / WEIGHTS),
            "--steps",
            "25",
            "--loss",
            "l2",
            *more,
        ]

    def machine(rank: int) -> list[str]:
        address = f"--nnodes=2 --node-rank={rank} --master-addr=127.0.0.1 --master-port={port}"
        return ["torch.distributed.run", *address.split(), "--nproc-per-node=2", "-m", "edgesr"]

    agents = [
        _run(machine(rank), distil("two", "--cache", str(tmp_path / f"cache{rank}")))
        for rank in range(2)
    ]
    _train_here(distil("one"))
    for agent in agents:
        _finish(agent)
    two, one = (np.array(_rows(tmp_path / out), np.float64) for out in ("two", "one"))
    np.testing.assert_allclose(two, one, rtol=1e-5)
    first, second = (list((tmp_path / f"cache{rank}").glob("teacher_*")) for rank in range(2))
    assert [path.name for path in first] == [path.name for path in second]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    (invocation,) = json.loads((tmp_path / "two/config.json").read_text())["invocations"]
    assert invocation["processes"] == 4
    assert invocation["config"]["distillation"]["alpha"] == 0.8
    assert invocation["teacher_runs"] == "once"


@pytest.mark.parametrize("torchrun", [pytest.param(True, marks=pytest.mark.long), False])
def test_two_processes_train_as_one_does(
    torchrun: bool, pictures: Path, whole: Path, forked: Forked, tmp_path: Path
) -> None:
    """Float32: the gradient is the same sum in another order. The variables are torchrun's.

    L1's gradient is a sign, so a rounding difference can turn it over and grow from there: the
    first 25 steps agree to 1e-5, the losses and weights of all 100 to 1e-3.
    """
    arguments = _arguments(pictures, tmp_path / "two")
    if torchrun:
        starter = ["torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "edgesr"]
        _finish(_run(starter, arguments))
    else:
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "WORLD_SIZE": "2"}
        with (tmp_path / "said").open("w") as said:
            started = [
                forked.start(arguments, said.fileno(), **meeting, RANK=rank, LOCAL_RANK=rank)
                for rank in "01"
            ]
        assert [program.wait(120) for program in started] == [0, 0]
        assert "Warning" not in (tmp_path / "said").read_text()
    two, one = (np.array(_rows(out), np.float64) for out in (tmp_path / "two", whole))
    np.testing.assert_allclose(two[:5], one[:5], rtol=1e-5)
    np.testing.assert_allclose(two[:, 1], one[:, 1], rtol=1e-3)
    first, second = (load_file(out / WEIGHTS) for out in (tmp_path / "two", whole))
    for name, value in first.items():
        np.testing.assert_allclose(second[name], value, atol=1e-3)


LEAVING = """
import weakref
import torch
import torch.distributed as dist
from edgesr.train.world import joined

with joined("cpu", 2):
    group = weakref.ref(dist.group.WORLD)
    module = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(1, 1))
    module(torch.ones(1, 1)).sum().backward()
    del module
raise SystemExit(0 if group() is None else "the group of processes is still held")
"""


@pytest.mark.long
def test_nothing_of_the_group_outlives_the_run(tmp_path: Path) -> None:
    """Its threads would abort a process that ends, once in some thirty runs."""
    script = tmp_path / "leaving.py"
    script.write_text(LEAVING)
    torchrun = ["torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    _finish(_run(torchrun, [str(script)]))
