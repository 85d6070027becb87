"""The figures of a run of `edgesr bench`."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgesr.bench.figures import BenchResult


def read_bench(folder: str | Path) -> "BenchResult":
    """Return latency, power and energy of a bench, computed again from its raw samples.

    Args:
        folder: of `edgesr bench -o`.

    Returns:
        The same figures as in result.json of the folder; times in ms, powers in mW and energies in
        J, as the names of its fields say.

    Raises:
        DataError: the folder holds no run, or a damaged one.
        PowerError: its power samples are damaged.
    """
    from edgesr.bench.report import read_result

    return read_result(Path(folder))
