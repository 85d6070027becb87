"""Two trainings do not share a folder; one that was killed holds nothing."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgesr.errors import ConfigError
from edgesr.train.folder_lock import NAME, sole_training

HOLD = (
    "import sys, time\nfrom pathlib import Path\n"
    "from edgesr.train.folder_lock import sole_training\n"
    "with sole_training(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"
)


@pytest.fixture
def holder(tmp_path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_is_refused_and_told_who_holds_it(
    holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    with (
        pytest.raises(ConfigError, match=f"process {holder.pid} on .+ trains in it"),
        sole_training(tmp_path / "run"),
    ):
        pass
    assert (tmp_path / "run" / NAME).exists()  # still the holder's


def test_the_lock_of_a_killed_process_is_taken_over(
    holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    holder.kill()
    holder.wait()
    assert (tmp_path / "run" / NAME).exists()
    with sole_training(tmp_path / "run"):
        assert (tmp_path / "run" / NAME).read_text().startswith(f"{os.getpid()} on ")
    assert list((tmp_path / "run").iterdir()) == []


def test_other_processes_of_a_run_hold_nothing(
    holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    started = time.monotonic()
    with sole_training(tmp_path / "run", first=False):
        pass
    assert time.monotonic() - started < 5
