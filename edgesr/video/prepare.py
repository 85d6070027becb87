"""The one entry: a clip or an animation, examined and ready to run."""

from typing import Protocol

from edgesr.runtime.sessions import Sessions
from edgesr.video.kinds import Moving
from edgesr.video.result import MovingResult, MovingSettings, OnFrame


class Prepared(Protocol):
    """What can be enlarged frame by frame."""

    @property
    def frames(self) -> int:
        """Frames that there are."""
        ...

    def run(self, on_frame: OnFrame) -> MovingResult:
        """Enlarge it and put the result in its place."""
        ...


def prepare(sessions: Sessions, job: Moving, settings: MovingSettings) -> Prepared:
    """Examine a clip or an animation and refuse what cannot be done, before the work.

    Raises:
        EdgesrError: it cannot be done.
    """
    if job.animation is None:
        from edgesr.video.clip import prepare_clip

        return prepare_clip(sessions, job, settings)
    from edgesr.video.animation import prepare_animation

    return prepare_animation(sessions, job, settings)
