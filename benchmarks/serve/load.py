"""`edgesr serve` under load: every answer is judged, memory is watched, nothing may be left over.

    python -m benchmarks.serve.load -o benchmarks/results/serve/load.json.xz

5 % of the requests are damaged, too long or cut short. Every other answer must be, byte for byte,
what `edgesr upscale` makes of that picture. Exit code 1 if anything is wrong.
"""

import argparse
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from benchmarks.serve.cases import Case, plan, whole_cases
from benchmarks.serve.client import Outcome, ask
from benchmarks.shared.results import write_result

MAX_BODY_MB = 0.5
SPOILED_SHARE = 0.05
QUIET_S = 2.0
SAMPLING_S = 0.25


@dataclass
class Memory:
    """Resident memory of a process, sampled in a thread.

    Attributes:
        samples: (seconds since the beginning, MB).
    """

    pid: int
    samples: list[tuple[float, float]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def now_mb(self) -> float:
        """Return resident memory, in millions of bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None  # every process that lives has the line
        return int(found[1]) * 1024 / 1e6

    def watch(self) -> None:
        """Sample until `over` is set."""
        start = time.monotonic()
        while not self.over.wait(SAMPLING_S):
            self.samples.append((round(time.monotonic() - start, 2), round(self.now_mb(), 1)))


def start_server(model: str, log: Path) -> tuple["subprocess.Popen[bytes]", int]:
    """Start a server on a free port and return it with the port."""
    command = [sys.executable, "-m", "edgesr", "serve", "-m", model, "--port", "0"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--max-body-mb", str(MAX_BODY_MB)], stdout=output, stderr=subprocess.STDOUT
        )
    while (found := re.search(r"http://[^ ]+?:(\d+)/", log.read_text())) is None:
        if process.poll() is not None:
            sys.exit(log.read_text())
        time.sleep(0.05)
    return process, int(found[1])


def run(port: int, cases: list[Case], clients: int) -> list[Outcome]:
    """Send requests, each client one after another."""
    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(lambda case: ask(port, case), cases))


def counted(port: int) -> dict[str, int]:
    """Return the server's own count of answers to /upscale, by status."""
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    found = re.findall(r'responses_total\{path="/upscale",status="(\w+)"\} ([\d.e+]+)', text)
    return {status: int(float(count)) for status, count in found}


def expected_counts(outcomes: list[Outcome]) -> dict[str, int]:
    """Return the count that the server should have, from what the clients saw."""
    counts = Counter("gone" if o.status is None else str(o.status) for o in outcomes)
    counts["503"] += sum(outcome.turned_away for outcome in outcomes)
    return {status: count for status, count in counts.items() if count}


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, object]:
    """Run the load and return the result's document."""
    cases = whole_cases(folder, arguments.model)
    max_body = round(MAX_BODY_MB * 1e6)
    warm_up = plan(cases, arguments.warm_up, SPOILED_SHARE, max_body, arguments.seed + 1)
    requests = plan(cases, arguments.requests, SPOILED_SHARE, max_body, arguments.seed)
    log = folder / "log.txt"
    process, port = start_server(arguments.model, log)
    memory = Memory(process.pid)
    watcher = threading.Thread(target=memory.watch)
    try:
        before = run(port, warm_up, arguments.clients)
        time.sleep(QUIET_S)
        idle_before_mb = memory.now_mb()
        watcher.start()
        start = time.monotonic()
        outcomes = run(port, requests, arguments.clients)
        wall_s = time.monotonic() - start
        time.sleep(QUIET_S)
        idle_after_mb = memory.now_mb()
        counts = counted(port)
        memory.over.set()
        watcher.join()
        process.send_signal(signal.SIGTERM)
        exit_code = process.wait(60)
    finally:
        memory.over.set()
        process.kill()
        process.wait()
    text = log.read_text()
    everything = [*before, *outcomes]
    latencies = sorted(o.latency_ms for o in outcomes if o.status == 200)
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {sys.version.split()[0]}",
        "model": arguments.model,
        "requests": len(outcomes),
        "clients": arguments.clients,
        "seed": arguments.seed,
        "sent": dict(Counter(o.case.kind for o in outcomes)),
        "answers": dict(Counter(str(o.status) for o in outcomes)),
        "turned_away": sum(o.turned_away for o in outcomes),
        "wrong": [{"name": o.case.name, "what": o.wrong} for o in everything if o.wrong],
        "server_counts": counts,
        "client_counts": expected_counts(everything),
        "tracebacks": text.count("Traceback"),
        "exit_code": exit_code,
        "idle_before_mb": round(idle_before_mb, 1),
        "idle_after_mb": round(idle_after_mb, 1),
        "growth_mb": round(idle_after_mb - idle_before_mb, 1),
        "peak_mb": max(mb for _, mb in memory.samples),
        "wall_s": round(wall_s, 1),
        "latency_p50_ms": round(latencies[len(latencies) // 2], 1),
        "latency_max_ms": round(latencies[-1], 1),
        "memory_samples_s_mb": memory.samples,
        "raw_kind_name_form_status_turned_away_ms": [
            [o.case.kind, o.case.name, o.case.form, o.status, o.turned_away, round(o.latency_ms, 1)]
            for o in outcomes
        ],
    }


def main() -> None:
    """Parse the options, run, write and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--warm-up", type=int, default=60, help="requests before memory is watched")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", default="esr-fast")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        document = measure(arguments, Path(folder))
    write_result(arguments.output, document)
    for key, value in document.items():
        if not isinstance(value, list):
            print(f"{key}: {value}")
    clean = (
        not document["wrong"]
        and document["tracebacks"] == 0
        and document["exit_code"] == 0
        and document["server_counts"] == document["client_counts"]
    )
    sys.exit(0 if clean else 1)


if __name__ == "__main__":
    main()
