"""The curves of a run, drawn from its metrics.csv."""

from pathlib import Path

from edgesr.errors import MissingError
from edgesr.files import atomic_path
from edgesr.train.record import read_metrics

PANELS = (
    ("loss", "training loss"),
    ("psnr_y_db", "PSNR-Y (dB)"),
    ("lr", "learning rate"),
    ("power_w", "GPU power (W)"),
)


def draw_curves(metrics: Path, path: Path) -> None:
    """Draw loss, PSNR, learning rate and power over the steps; panels without values are left out.

    Args:
        metrics: a metrics.csv.
        path: an .svg or .png file.

    Raises:
        MissingError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingError(
            "matplotlib is not installed", where=path, fix="pip install matplotlib"
        ) from error
    rows = read_metrics(metrics)
    series = {
        name: [(row["step"], row[name]) for row in rows if row[name] == row[name]]
        for name, _ in PANELS
    }
    panels = [(name, label) for name, label in PANELS if series[name]]
    if not panels:
        return
    figure = Figure(figsize=(8, 2.2 * len(panels)), layout="constrained")
    axes = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
    for axis, (name, label) in zip(axes, panels, strict=True):
        axis.plot(*zip(*series[name], strict=True), marker="." if len(series[name]) < 100 else "")
        axis.set_ylabel(label)
        axis.grid(alpha=0.3)
    axes[-1].set_xlabel("step")
    with atomic_path(path) as temporary:
        figure.savefig(temporary)
