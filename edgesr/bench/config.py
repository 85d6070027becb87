"""What a bench is asked to do."""

import math
import shlex
from dataclasses import dataclass, fields

from edgesr.errors import Argument, ConfigError
from edgesr.power.energy import MIN_WINDOW_S

CONTROL = "bicubic"
"""The network that runs in every bench: what all others must beat, and what shows drift."""


@dataclass(frozen=True)
class Wanted:
    """A network to measure.

    Attributes:
        model: its name, or the path of an .onnx file or an .engine.
        backend: what runs it; `auto` or a name in `edgesr.runtime.select.BACKENDS`.
        tile: side of the tiles that it upscales the input in; None: its own, or the whole input.
    """

    model: str
    backend: str = "auto"
    tile: int | None = None

    @property
    def is_engine(self) -> bool:
        """Whether `model` is the path of a TensorRT engine."""
        return self.model.endswith(".engine")

    @property
    def runs_on_gpu(self) -> bool:
        """Whether the GPU's power is that of its work."""
        return self.is_engine or self.backend == "tensorrt"


@dataclass(frozen=True)
class BenchConfig:
    """What to measure, how often, and with which sensor.

    Attributes:
        wanted: networks, in the order of the report.
        input: `WxH` for bundled real patches of that size, or the path of a photograph.
        samples: measured calls of each network, over all rounds.
        warmup: calls before each measured window, which are not counted.
        rounds: every network has one measured window in each.
        batch: patches, or tiles of a picture, in a call; None: the network's own, else 1 patch, or
            tiles as in upscaling.
        scale: factor between input and output sides; None: the networks' own.
        threads: CPU threads; None: the backend's choice.
        power: as `edgesr.power.sampler.CHOICES`.
        interval_s: time between power samples.
        idle_s: length of the idle baseline.
        window_s: least length of a measured window where power is measured.

    Raises:
        ConfigError: a value that cannot be.
    """

    wanted: tuple[Wanted, ...] = (Wanted("student"),)
    input: str = "64x64"
    samples: int = 1000
    warmup: int = 20
    rounds: int = 5
    batch: int | None = None
    scale: int | None = None
    threads: int | None = None
    power: str = "auto"
    interval_s: float = 0.1
    idle_s: float = 10.0
    window_s: float = MIN_WINDOW_S

    def __post_init__(self) -> None:
        if not self.wanted:
            raise ConfigError("nothing to measure", fix="edgesr bench --model student")
        least = {"samples": 1, "warmup": 0, "rounds": 1, "batch": 1, "threads": 1}
        for name, lowest in least.items():
            value = getattr(self, name)
            if value is not None and value < lowest:
                raise ConfigError(f"at least {lowest}, not {value}", where=Argument(name))
        for name in ("interval_s", "idle_s", "window_s"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f"more than 0, not {value:g}", where=Argument(name))

    @property
    def samples_by_round(self) -> tuple[int, ...]:
        """Samples in each round, as even as can be; no round is empty."""
        rounds = min(self.rounds, self.samples)
        each, rest = divmod(self.samples, rounds)
        return tuple(each + (number < rest) for number in range(rounds))

    @property
    def command(self) -> str:
        """The command line that asks for this."""
        words = ["edgesr", "bench"]
        for model in dict.fromkeys(wanted.model for wanted in self.wanted):
            words += ["--model", model]
        backends = {wanted.backend for wanted in self.wanted if not wanted.is_engine}
        words += [word for name in sorted(backends - {"auto"}) for word in ("--backend", name)]
        tiles = dict.fromkeys(wanted.tile for wanted in self.wanted if wanted.tile is not None)
        words += [word for tile in tiles for word in ("--tile", str(tile))]
        words += ["--samples", str(self.samples)]
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _OPTIONS and value != field.default:
                text = f"{value:g}" if isinstance(value, float) else str(value)
                words += [f"--{field.name.replace('_', '-')}", text]
        return shlex.join(words)


_OPTIONS = (
    "input", "warmup", "rounds", "batch", "scale", "threads", "power", "interval_s", "idle_s",
    "window_s",
)  # fmt: skip
