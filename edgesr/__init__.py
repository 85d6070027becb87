"""edgesr: Mamba super-resolution for small boards.

    import edgesr

    big = edgesr.upscale("photo.jpg")
    edgesr.upscale("photo.jpg", "photo_x4.png")
    with edgesr.open_model("student", scale=4) as model:
        big = model.upscale(array)

Importing it imports nothing else and sets nothing; each name below is loaded when it is first used.
docs/library.md describes them with examples.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from edgesr.version import __version__

if TYPE_CHECKING:
    from edgesr.errors import (
        ConfigError,
        DataError,
        EdgesrError,
        EngineError,
        ImageError,
        MissingError,
        ModelError,
        PowerError,
    )
    from edgesr.library.bench import read_bench
    from edgesr.library.model import Model, open_model
    from edgesr.library.power import PowerMeter, PowerUse, measure_power, read_power_log
    from edgesr.library.upscale import upscale
    from edgesr.library.upscaled import Upscaled

__all__ = [
    "ConfigError",
    "DataError",
    "EdgesrError",
    "EngineError",
    "ImageError",
    "MissingError",
    "Model",
    "ModelError",
    "PowerError",
    "PowerMeter",
    "PowerUse",
    "Upscaled",
    "__version__",
    "measure_power",
    "open_model",
    "read_bench",
    "read_power_log",
    "upscale",
]

_HOME = {
    "ConfigError": "edgesr.errors",
    "DataError": "edgesr.errors",
    "EdgesrError": "edgesr.errors",
    "EngineError": "edgesr.errors",
    "ImageError": "edgesr.errors",
    "MissingError": "edgesr.errors",
    "Model": "edgesr.library.model",
    "ModelError": "edgesr.errors",
    "PowerError": "edgesr.errors",
    "PowerMeter": "edgesr.library.power",
    "PowerUse": "edgesr.library.power",
    "Upscaled": "edgesr.library.upscaled",
    "measure_power": "edgesr.library.power",
    "open_model": "edgesr.library.model",
    "read_bench": "edgesr.library.bench",
    "read_power_log": "edgesr.library.power",
    "upscale": "edgesr.library.upscale",
}
"""Module of each name that is loaded when it is asked for."""


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'edgesr' has no attribute '{name}'")
    value: object = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
