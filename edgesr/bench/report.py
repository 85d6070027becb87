"""From the raw files of a run to all others: a pure function, byte for byte.

No clock, no sensor and no setting of the machine is asked, so a run from a board can be reported
anywhere.
"""

import json
from pathlib import Path

from edgesr import files
from edgesr.bench.figures import BenchResult
from edgesr.bench.page import page
from edgesr.bench.plots import latency_plot, power_plot
from edgesr.bench.raw_files import read_pictures, read_raw
from edgesr.bench.result import compute
from edgesr.files import make_folder

RESULT, POWER_PLOT, LATENCY_PLOT, PAGE = "result.json", "power.svg", "latency.svg", "report.html"


def read_result(folder: Path) -> BenchResult:
    """Return the figures of a run, from its raw files.

    Raises:
        DataError: the folder holds no run, or a damaged one.
        PowerError: its power samples are damaged.
    """
    return compute(read_raw(folder))


def write_report(folder: Path, output: Path | None = None) -> BenchResult:
    """Write result.json, both plots and report.html of a run.

    Args:
        folder: holds the raw files.
        output: folder to write to, made if missing; None: the same.

    Raises:
        DataError: the folder holds no run, or a damaged one.
        PowerError: its power samples are damaged.
        ConfigError: `output` cannot be made or written.
    """
    recording = read_raw(folder)
    pictures = read_pictures(folder, recording)
    result = compute(recording)
    power, latency = power_plot(recording, result), latency_plot(recording, result)
    target = folder if output is None else output
    make_folder(target)
    document = json.dumps(result.to_json(), indent=2, ensure_ascii=False, allow_nan=False)
    files.write_text(target / RESULT, document + "\n")
    files.write_text(target / POWER_PLOT, power)
    files.write_text(target / LATENCY_PLOT, latency)
    files.write_text(target / PAGE, page(recording, result, pictures, power, latency))
    return result
