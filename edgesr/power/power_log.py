"""Read recorded power, whichever tool wrote it; the tool is recognised by the file's first line."""

from pathlib import Path

from edgesr.errors import PowerError, shell
from edgesr.power.energy_windows import EnergyWindow, parse_windows, tool_of
from edgesr.power.jtop_csv import HEADER as JTOP_HEADER
from edgesr.power.jtop_csv import parse_jtop
from edgesr.power.log_rows import read_text
from edgesr.power.samples_csv import HEADER, parse_samples
from edgesr.power.tegrastats_log import DEFAULT_INTERVAL_S, PowerLog, read_tegrastats_log


def read_power_samples(path: Path, interval_s: float = DEFAULT_INTERVAL_S) -> PowerLog:
    """Read a tegrastats log, jtop's CSV, or the samples of a bench.

    Args:
        path: the file.
        interval_s: time between the lines of a log without time stamps.

    Raises:
        PowerError: the file cannot be read or holds no samples.
    """
    text = read_text(path)
    first_line = text.partition("\n")[0]
    if (tool := tool_of(first_line)) is not None:
        raise PowerError(
            f"{tool} wrote energies into it, and no power over time",
            where=path,
            fix=f"edgesr power {shell(path)}",
        )
    if first_line.startswith(JTOP_HEADER):
        return parse_jtop(text, path)
    if not first_line.startswith(f"{HEADER},"):
        return read_tegrastats_log(path, interval_s)
    samples = parse_samples(text, path)
    if not samples:
        raise PowerError("it holds no samples", where=path)
    return PowerLog(samples, start=None, times_from="the samples' own times", tool="edgesr bench")


def read_windows(path: Path) -> tuple[str, tuple[EnergyWindow, ...]] | None:
    """Read the energies that zeus or CodeCarbon wrote.

    Returns:
        The tool and the windows; None for any other file.

    Raises:
        PowerError: the file cannot be read, or it is such a file and damaged.
    """
    text = read_text(path)
    tool = tool_of(text.partition("\n")[0])
    if tool is None:
        return None
    try:
        return tool, parse_windows(text, tool)
    except PowerError as error:
        raise PowerError(error.what, where=path) from error
