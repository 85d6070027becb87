"""tegrastats as a child process: a stand-in that replays a real log, and everything that fails."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgesr.errors import EdgesrError, MissingError, PowerError
from edgesr.power.sampler import open_sampler
from edgesr.power.sampler_tegrastats import TegrastatsSampler

HERE = Path(__file__).parent
STAND_IN = HERE / "stand_in" / "tegrastats"
LOG = HERE / "data" / "logs" / "orin_nano_maxn_super_100ms_tensorrt.txt"


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{STAND_IN.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("STAND_IN_LOG", str(LOG))
    monkeypatch.delenv("STAND_IN_FAULT", raising=False)


@contextmanager
def started(interval_s: float) -> Iterator[TegrastatsSampler]:
    """What `open_sampler` does, and a stand-in that waits long for its turn is no silent one."""
    sampler = TegrastatsSampler(interval_s, patience_s=120.0)
    sampler.start()
    try:
        yield sampler
    finally:
        sampler.stop()


def wait_until(condition: object, seconds: float = 20.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Whether it runs; a child that has ended and was not waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def child_pid(sampler: TegrastatsSampler) -> int:
    assert sampler._child is not None
    return sampler._child.pid


def test_samples_come_stamped_at_their_own_pace() -> None:
    begin = time.monotonic()
    with started(0.05) as sampler:
        wait_until(lambda: len(sampler.samples()) >= 12)
        samples = sampler.samples()
        assert sampler.failure is None
        assert sampler.total.rails == ("VDD_IN",)
        pid = child_pid(sampler)
        assert is_running(pid)
    assert not is_running(pid)
    assert sampler.failure is None
    times = [sample.time_s for sample in samples]
    assert times == sorted(times) and begin < times[0] < time.monotonic()
    assert (times[-1] - times[0]) / (len(times) - 1) == pytest.approx(0.0545, rel=0.3)
    assert [sample.rails_mw["VDD_IN"] for sample in samples[:4]] == [5971, 6011, 6050, 6090]
    assert samples[0].clocks_mhz["gpu"] == 1018
    assert samples[0].temperatures_c["tj"] == 49.593
    assert sampler.unknown_lines == 0


def test_interval_reaches_the_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing but the interval does: no --start, no --stop."""
    seen = tmp_path / "arguments"
    program = tmp_path / "tegrastats"
    program.write_text(f'#!/bin/sh\necho "$@" >> {seen}\nexec {STAND_IN} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with started(0.025):
        pass
    assert seen.read_text() == "--interval 25\n"


def test_another_tegrastats_is_left_alone() -> None:
    other = subprocess.Popen([STAND_IN, "--interval", "1000"], stdout=subprocess.DEVNULL)
    try:
        with started(0.05):
            pass
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("exit:3", "ended with status 3 after 0 samples; it says: .*cannot open the sensors"),
        ("silent", "prints nothing"),
        ("garbage", "prints nothing; it says: .*garbage"),
        ("flood", "without pause"),
        ("no-rails", "prints no power here"),
        ("cut:1", "prints no power here|ended with status 0"),
    ],
)
def test_child_that_gives_no_power(fault: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_FAULT", fault)
    sampler = TegrastatsSampler(0.05, patience_s={"silent": 1.0, "garbage": 4.0}.get(fault, 8.0))
    begin = time.monotonic()
    with pytest.raises(PowerError, match=words) as caught:
        sampler.start()
    pid = child_pid(sampler)
    sampler.stop()
    assert time.monotonic() - begin < 30
    assert not is_running(pid)
    assert caught.value.fix and caught.value.where == str(STAND_IN)


def test_child_killed_in_mid_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_FAULT", "die:8")
    with open_sampler("tegrastats", interval_s=0.03) as sampler:
        wait_until(lambda: sampler.failure is not None)
        assert len(sampler.samples()) == 8
    assert sampler.failure == "tegrastats was killed by signal 9 after 8 samples"


def test_child_that_ends_in_the_middle_of_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_FAULT", "cut:5")
    with open_sampler("tegrastats", interval_s=0.03) as sampler:
        wait_until(lambda: sampler.failure is not None)
    assert sampler.failure is not None and "ended with status 0" in sampler.failure
    assert [sample.rails_mw.get("VDD_IN") for sample in sampler.samples()] == [
        *(5971, 6011, 6050, 6090),
        None,
    ]


def test_child_that_goes_silent() -> None:
    sampler = TegrastatsSampler(0.03)
    sampler.start()
    sampler._silence_s = 0.5
    try:
        os.kill(child_pid(sampler), signal.SIGSTOP)
        wait_until(lambda: sampler.failure is not None)
        assert sampler.failure is not None and "printed nothing for" in sampler.failure
    finally:
        os.kill(child_pid(sampler), signal.SIGCONT)
        sampler.stop()


def test_child_that_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_FAULT", "deaf")
    sampler = TegrastatsSampler(0.03)
    sampler.start()
    sampler.stop()
    assert not is_running(child_pid(sampler))
    sampler.stop()


def test_parent_that_is_killed_takes_the_child_along(tmp_path: Path) -> None:
    script = (
        "from edgesr.power.sampler_tegrastats import TegrastatsSampler\n"
        "import os, signal\n"
        "sampler = TegrastatsSampler(0.03)\n"
        "sampler.start()\n"
        "print(sampler._child.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert run.returncode == -signal.SIGKILL
    wait_until(lambda: not is_running(int(run.stdout)))


def test_ctrl_c_does_not_reach_the_child() -> None:
    """So that the samples go on while a partial report is written."""
    with open_sampler("tegrastats", interval_s=0.03) as sampler:
        assert isinstance(sampler, TegrastatsSampler)
        assert os.getpgid(child_pid(sampler)) != os.getpgid(0)


def test_missing_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(MissingError, match="not installed"), open_sampler("tegrastats"):
        pass


def test_program_that_may_not_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "tegrastats"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o644)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PowerError, match="may not be run") as caught, open_sampler("tegrastats"):
        pass
    assert caught.value.fix == f"chmod a+x {program}"


def test_program_of_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "tegrastats"
    program.write_bytes(b"\x7fELF not really")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PowerError, match="cannot be run"), open_sampler("tegrastats"):
        pass


def test_failures_are_errors_of_ours() -> None:
    assert issubclass(PowerError, EdgesrError) and issubclass(MissingError, EdgesrError)
