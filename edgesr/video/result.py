"""What is asked for of a clip or an animation, and what is reported of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgesr.imaging.tiling import TilePlan
    from edgesr.runtime.sessions import Opened
    from edgesr.video.kinds import Moving
    from edgesr.video.pace import ProgressPace

OnFrame = Callable[[int, str], None]
"""Called with frames that are done since the last call and a line about the pace."""


@dataclass(frozen=True)
class MovingSettings:
    """How frames are enlarged and written.

    Attributes:
        tile: side of a tile; None: the model's.
        overlap: pixels that neighbouring tiles share; None: the default.
        quality: 1 to 100, of formats with loss.
    """

    tile: int | None
    overlap: int | None
    quality: int


@dataclass(frozen=True)
class MovingResult:
    """What is reported; sizes are (width, height).

    Attributes:
        frames: in the result.
        resumed_frames: of these, done by an earlier run that was ended.
        frames_per_s: of the others, from decoding to encoding; None: there were none.
        codec: of the result, with its pixel format.
        notes: what could not be kept, one sentence each.
    """

    input: str
    output: str
    input_size: tuple[int, int]
    output_size: tuple[int, int]
    model: str
    model_reason: str | None
    backend: str
    scale: int
    tile: tuple[int, int]
    overlap: int
    frames: int
    resumed_frames: int
    frames_per_s: float | None
    codec: str
    load_ms: float
    notes: tuple[str, ...]

    @classmethod
    def of(
        cls,
        job: "Moving",
        network: "Opened",
        plan: "TilePlan",
        *,
        frames: int,
        pace: "ProgressPace",
        codec: str,
        notes: tuple[str, ...],
        resumed_frames: int = 0,
    ) -> "MovingResult":
        """Return what is reported of a job.

        Args:
            job: what was read and written.
            network: that enlarged it.
            plan: its tiles in a frame.
            frames: in the result.
            pace: of the frames that this run made.
            codec: of the result.
            notes: what could not be kept.
            resumed_frames: of `frames`, done by an earlier run.
        """
        session = network.session
        width, height = plan.columns.length, plan.rows.length
        return cls(
            input=str(job.input),
            output=str(job.output),
            input_size=(width, height),
            output_size=(session.scale * width, session.scale * height),
            model=session.model,
            model_reason=network.reason,
            backend=session.backend,
            scale=session.scale,
            tile=(plan.columns.tile, plan.rows.tile),
            overlap=plan.rows.overlap,
            frames=frames,
            resumed_frames=resumed_frames,
            frames_per_s=pace.frames_per_s,
            codec=codec,
            load_ms=network.load_ms,
            notes=notes,
        )

    def lines(self) -> tuple[str, ...]:
        """Return what is told of it, a line each."""
        size = "{}x{} -> {}x{}".format(*self.input_size, *self.output_size)
        pace = "" if self.frames_per_s is None else f", {self.frames_per_s:.3g} frames/s"
        resumed = f" ({self.resumed_frames} of an earlier run)" if self.resumed_frames else ""
        network = " ".join(filter(None, (self.model, self.model_reason)))
        first = (
            f"{self.output}  {size}, {self.frames} frames{resumed}{pace}, {self.codec} "
            f"({network}, {self.backend})"
        )
        return (first, *(f"  note: {note}" for note in self.notes))
