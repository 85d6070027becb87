"""An animation (GIF, WebP, PNG) through a network, frame by frame.

Pillow hands over every frame as it is shown, with disposal and blending applied, and the frames of
the result are whole ones too: what is shown, for how long and how often is kept, not the way in
which the file gets there.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from edgesr.files import atomic_path, make_folder
from edgesr.imaging.picture import Picture
from edgesr.imaging.tiling import TilePlan
from edgesr.runtime.photograph import upscale_picture
from edgesr.runtime.sessions import Opened, Sessions
from edgesr.runtime.upscale import plan_for
from edgesr.video.animation_file import Survey, check_fits, pictures, survey, write_animation
from edgesr.video.kinds import ANIMATIONS, Moving
from edgesr.video.pace import ProgressPace
from edgesr.video.result import MovingResult, MovingSettings, OnFrame


@dataclass(frozen=True)
class Animation:
    """An animation and all that was settled before its first frame is enlarged.

    Attributes:
        job: what is read and written.
        source: what it holds.
        network: that enlarges it.
        plan: its tiles in a frame.
        target: kind of the result, `GIF`, `WebP` or `PNG`.
        settings: how its frames are enlarged and written.
        notes: what cannot be kept, one sentence each.
    """

    job: Moving
    source: Survey
    network: Opened
    plan: TilePlan
    target: str
    settings: MovingSettings
    notes: tuple[str, ...]

    @property
    def frames(self) -> int:
        """Frames that there are."""
        return len(self.source.durations_ms)

    def run(self, on_frame: OnFrame) -> MovingResult:
        """Enlarge it and put the result in its place.

        Args:
            on_frame: told of the progress.

        Raises:
            EdgesrError: a frame cannot be enlarged, or the result cannot be written.
        """
        pace = ProgressPace()
        make_folder(self.job.output.parent)
        with atomic_path(self.job.output) as temporary:
            enlarged = self._enlarged(lambda: on_frame(1, pace.count()))
            write_animation(temporary, self.target, self.source, enlarged, self.settings.quality)
        return MovingResult.of(
            self.job, self.network, self.plan, frames=self.frames, pace=pace, codec=self.target,
            notes=self.notes,
        )  # fmt: skip

    def _enlarged(self, count: Callable[[], None]) -> Iterator[Picture]:
        for picture in pictures(self.job.input, self.source):
            tile, overlap = self.settings.tile, self.settings.overlap
            yield upscale_picture(self.network.session, picture, tile, overlap).picture
            count()


def prepare_animation(sessions: Sessions, job: Moving, settings: MovingSettings) -> Animation:
    """Examine an animation and refuse what cannot be done, before the work.

    Args:
        sessions: give the network.
        job: what is read and written.
        settings: how.

    Raises:
        EdgesrError: it is damaged or too large, or its result would be too large for its kind.
    """
    endings = {ending: kind for kind, ending in ANIMATIONS.items()}
    target = endings[job.output.suffix.lower()]
    source = survey(job.input, job.animation or target)
    sample = np.zeros((1, 1, 3), np.uint8)
    network = sessions.session_for(Picture(sample, kind=source.kind, lossy=source.lossy))
    session = network.session
    notes = check_fits(job.input, source, target, session.scale)
    plan = plan_for(session, source.height, source.width, settings.tile, settings.overlap)
    return Animation(job, source, network, plan, target, settings, source.notes + notes)
