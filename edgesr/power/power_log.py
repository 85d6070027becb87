"""Read recorded power, whichever of the two kinds of file it is."""

from pathlib import Path

from edgesr.errors import PowerError
from edgesr.power.samples_csv import HEADER, read_samples
from edgesr.power.tegrastats_log import DEFAULT_INTERVAL_S, PowerLog, read_tegrastats_log


def read_power_log(path: Path, interval_s: float = DEFAULT_INTERVAL_S) -> PowerLog:
    """Read a tegrastats log, or samples as CSV.

    Args:
        path: the file.
        interval_s: time between the lines of a log without time stamps.

    Raises:
        PowerError: the file cannot be read or holds no samples.
    """
    try:
        with path.open("rb") as file:
            is_table = file.read(len(HEADER) + 1) == f"{HEADER},".encode()
    except OSError as error:
        raise PowerError(f"cannot read the log ({error.strerror})", where=path) from error
    if not is_table:
        return read_tegrastats_log(path, interval_s)
    samples = read_samples(path)
    if not samples:
        raise PowerError("it holds no samples", where=path)
    return PowerLog(samples, start=None, times_from="the samples' own times")
