"""The sessions of a run: the one that was named, or by picture, where none was.

A network undoes what made its training pictures small. `student` learnt from pictures that were
only shrunk; `photo` from such that were blurred, noisy and saved as JPEG on the way, as most
photographs of cameras are. On clean pictures the first is sharper; of lossy ones it enlarges the
blocks and the noise too. benchmarks/photographs has the figures.
"""

import threading
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

from edgesr.imaging.picture import Picture
from edgesr.runtime.select import DEFAULT_SCALE, open_session
from edgesr.runtime.timing import timed
from edgesr.weights import shipped_names

if TYPE_CHECKING:
    from edgesr.runtime.session import Session

CLEAN, LOSSY = "student", "photo"


@dataclass(frozen=True)
class Choice:
    """A network for a picture.

    Attributes:
        model: its name.
        reason: why it was chosen, to be put behind the name; None: it was named.
    """

    model: str
    reason: str | None = None


def choose(picture: Picture, scale: int) -> Choice:
    """Return the shipped network for a picture by how its file stores it.

    Args:
        picture: the decoded picture.
        scale: factor between input and output sides.
    """
    kind = picture.kind or "it"
    if not picture.lossy:
        return Choice(CLEAN, f"because {kind} stores it without loss")
    if (LOSSY, scale) in shipped_names():
        return Choice(LOSSY, f"because {kind} stores it with loss")
    return Choice(CLEAN, f"because there is no {LOSSY} for x{scale}")


@dataclass(frozen=True)
class Opened:
    """A session and what is told of it.

    Attributes:
        session: the network.
        load_ms: time that its opening took, in milliseconds.
        reason: as in `Choice`.
    """

    session: "Session"
    load_ms: float
    reason: str | None


class Sessions:
    """Opens each network once, when the first picture needs it; a context that closes them all.

    Several threads may ask at the same time.

    Args:
        model: name of a network or path of a file, which is opened at once; None: by picture.
        backend: `auto` or a name in `edgesr.runtime.select.BACKENDS`.
        scale: factor between input and output sides; None: the file's, or 4 for a name.
        threads: CPU threads; None: the backend's choice.

    Attributes:
        scale: of all sessions.

    Raises:
        EdgesrError: the named network cannot be opened; see `open_session`.
    """

    def __init__(
        self, model: str | None, backend: str, scale: int | None, threads: int | None
    ) -> None:
        self._model, self._backend, self._threads = model, backend, threads
        self._asked_scale = scale
        self._open: dict[str, tuple[Session, float]] = {}
        self._opening = threading.Lock()
        self.scale = DEFAULT_SCALE if scale is None else scale
        if model is not None:
            self.scale = self._session(model)[0].scale

    def __enter__(self) -> "Sessions":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all of them; nothing may run in one any more."""
        with self._opening:
            for session, _ in self._open.values():
                session.close()
            self._open.clear()

    def session_for(self, picture: Picture) -> Opened:
        """Return the session for a picture.

        Raises:
            EdgesrError: it cannot be opened; see `open_session`.
        """
        choice = choose(picture, self.scale) if self._model is None else Choice(self._model)
        session, load_ms = self._session(choice.model)
        return Opened(session, load_ms, choice.reason)

    def open_all(self) -> "list[Session]":
        """Return a session of every network that a picture may get, opened.

        Raises:
            EdgesrError: one cannot be opened; see `open_session`.
        """
        if self._model is not None:
            return [self._session(self._model)[0]]
        names = (CLEAN, LOSSY) if (LOSSY, self.scale) in shipped_names() else (CLEAN,)
        return [self._session(name)[0] for name in names]

    @property
    def backends(self) -> dict[str, str]:
        """Name of the backend by model, of the sessions that are open."""
        return {model: session.backend for model, (session, _) in self._open.items()}

    def _session(self, model: str) -> "tuple[Session, float]":
        with self._opening:
            if model not in self._open:
                self._open[model] = timed(
                    lambda: open_session(model, self._backend, self._asked_scale, self._threads)
                )
            return self._open[model]
