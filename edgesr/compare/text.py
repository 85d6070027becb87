"""How a comparison is put into words, on the sheet, on the page and in the terminal. Pure."""

from edgesr.compare.panels import Panel, PhotoComparison

ONCE = (
    "Times are of one call on this machine, for choosing by eye; edgesr bench measures them well."
)


def seconds(value: float) -> str:
    """Return a time in the unit that suits it."""
    if value < 1:
        return f"{1e3 * value:.0f} ms"
    if value < 90:
        return f"{value:.2g} s" if value < 10 else f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 5400 else f"{value / 3600:.1f} h"


def note(panel: Panel) -> str:
    """Return what stands below a panel's name."""
    if panel.photo_s is None or panel.latency_ms is None:
        return panel.run
    return f"{seconds(panel.latency_ms / 1e3)} here, about {seconds(panel.photo_s)} for the photo"


def under(comparison: PhotoComparison) -> str:
    """Return what is compared."""
    crop, photo = comparison.crop, comparison.photo
    return (
        f"{crop.width}x{crop.height} pixels at {crop.x},{crop.y} of {photo.width}x{photo.height}, "
        f"enlarged {comparison.scale} times"
    )
