"""The weights in the package: `NAME_xSCALE.safetensors`, `.onnx` and `.json` (the manifest).

Nothing here needs torch, so `edgesr upscale` finds its model on a machine without it.
"""

import re
from pathlib import Path

from edgesr.errors import ModelError

FOLDER = Path(__file__).parent
_FILE = re.compile(r"(?P<name>.+)_x(?P<scale>\d+)\.(onnx|safetensors)")


def shipped_names(folder: Path | None = None) -> list[tuple[str, int]]:
    """Return (network, scale) of everything with a model in the package, or in a folder; sorted."""
    matches = (_FILE.fullmatch(path.name) for path in (folder or FOLDER).iterdir())
    return sorted({(match["name"], int(match["scale"])) for match in matches if match})


def shipped(name: str, scale: int, suffix: str) -> Path:
    """Return the shipped file of a network.

    Args:
        name: a configuration name, such as `student`.
        scale: factor between input and output sides.
        suffix: `onnx`, `safetensors` or `json`, without the dot.

    Raises:
        ModelError: no such file is shipped; the message lists what is.
    """
    path = FOLDER / f"{name}_x{scale}.{suffix}"
    if path.is_file():
        return path
    known = ", ".join(f"{known} x{factor}" for known, factor in shipped_names()) or "nothing"
    raise ModelError(
        f"no {suffix} file of '{name}' at scale {scale} comes with edgesr (it ships {known})",
        fix="edgesr models",
    )
