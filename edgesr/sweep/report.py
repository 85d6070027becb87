"""From the files of a sweep to its report: a pure function of them, on any machine."""

import json
from pathlib import Path

from edgesr import files
from edgesr.bench.raw_files import inside
from edgesr.bench.report import PAGE, RESULT, read_result
from edgesr.errors import DataError
from edgesr.files import make_folder
from edgesr.sweep.page import page
from edgesr.sweep.plot import energy_plot
from edgesr.sweep.record import NAME, read_sweep
from edgesr.sweep.result import SweepResult, compute

PLOT = "energy.svg"


def is_sweep(folder: Path) -> bool:
    """Whether a folder holds a sweep."""
    return (folder / NAME).is_file()


def write_sweep_report(folder: Path, output: Path | None = None) -> SweepResult:
    """Write result.json, the plot and report.html of a sweep.

    Args:
        folder: holds sweep.json and the runs.
        output: folder to write to, made if missing; None: the same.

    Raises:
        DataError: the folder holds no sweep, or a damaged one, or a run is damaged or elsewhere.
        PowerError: power samples of a run are damaged.
        ConfigError: `output` cannot be made or written.
    """
    sweep = read_sweep(folder)
    runs = [
        None if mode.folder is None else read_result(inside(folder, mode.folder))
        for mode in sweep.modes
    ]
    if any(run is not None and len(run.models) != len(sweep.qualities) for run in runs):
        raise DataError(f"{NAME} and a run hold different numbers of networks", where=folder)
    result = compute(sweep, runs)
    target = folder if output is None else output
    make_folder(target)
    document = json.dumps(result.to_json(), indent=2, ensure_ascii=False, allow_nan=False)
    files.write_text(target / RESULT, document + "\n")
    files.write_text(target / PLOT, energy_plot(result))
    files.write_text(target / PAGE, page(result))
    return result
