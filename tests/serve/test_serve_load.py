"""A short run of the load test, and what its committed long run must have reached."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.shared.results import read_result

ROOT = Path(__file__).parents[2]
MOST_GROWTH_MB = 50.0


def check(result: dict[str, object]) -> None:
    assert result["wrong"] == []
    assert result["tracebacks"] == 0
    assert result["exit_code"] == 0
    assert result["server_counts"] == result["client_counts"]
    assert result["growth_mb"] <= MOST_GROWTH_MB
    rows = result["raw_kind_name_form_status_turned_away_ms"]
    assert len(rows) == result["requests"]
    right = {"whole": 200, "broken": 422, "too long": 413, "too long, unsaid": 413, "cut": None}
    assert all(status == right[kind] for kind, _, _, status, _, _ in rows)


@pytest.mark.long  # queue, refusals and formats have short tests of their own beside this one
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("extra")
def test_a_hundred_requests_from_eight_clients(tmp_path: Path) -> None:
    pytest.importorskip("pi_heif")  # makes pictures to send
    target = tmp_path / "load.json"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.serve.load",
            "--requests",
            "100",
            "--warm-up",
            "20",
            "--seed",
            "7",
            "-o",
            target,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(target.read_text())
    check(result)
    assert set(result["sent"]) == {"whole", "broken", "too long", "too long, unsaid", "cut"}


def test_the_committed_run() -> None:
    result = read_result(ROOT / "benchmarks/results/serve/load.json.xz")
    assert result["requests"] == 1000
    assert result["clients"] == 8
    assert sum(result["sent"].values()) - result["sent"]["whole"] == 50
    check(result)
    page = (ROOT / "docs/serve.md").read_text()
    (quoted,) = re.findall(r"<!-- serve_load -->\n(.*?)\n<!-- /serve_load -->", page, re.S)
    assert quoted == (
        f"1,000 requests from 8 clients, 50 of them damaged, too long or cut short: 0 wrong "
        f"answers, 0 tracebacks, {result['growth_mb']} MB more memory at the end than after 60 "
        f"requests before."
    )
