"""The sessions of a model at each of its scales, opened when a picture needs them."""

import threading
from pathlib import Path

from edgesr.errors import Argument, ModelError
from edgesr.library.size import Size, nearest
from edgesr.runtime.select import DEFAULT_SCALE
from edgesr.runtime.sessions import CLEAN, Sessions
from edgesr.weights import shipped_names


class Scales:
    """Opens a network at the scale that comes nearest to what is asked for.

    Args:
        model: name of a network or path of a file; None: by picture.
        backend: `auto` or a name in `edgesr.runtime.select.BACKENDS`.
        scale: output side over input side, from 1 to 8; None: what the model file was made for,
            or 4 for a network's name.
        threads: CPU threads; None: the backend's choice.

    Attributes:
        scale: output side over input side where a call asks for no other size.

    Raises:
        ConfigError: no such scale.
        EdgesrError: the network cannot be opened.
    """

    def __init__(
        self, model: str | None, backend: str, scale: float | None, threads: int | None
    ) -> None:
        self._model, self._backend, self._threads = model, backend, threads
        self._opening = threading.Lock()
        self._open: dict[int, Sessions] = {}
        self.scale = Size(DEFAULT_SCALE if scale is None else scale).scale
        if model is not None and _is_path(model):
            only = Sessions(model, backend, None, threads)
            self._open[only.scale] = only
            self._scales: tuple[int, ...] = (only.scale,)
            self.scale = only.scale if scale is None else self.scale
            return
        self._scales = self._known(CLEAN if model is None else model)
        if model is not None:
            self.nearest(self.scale)

    def nearest(self, factor: float) -> Sessions:
        """Return the sessions of the scale that is nearest to an enlargement.

        Raises:
            EdgesrError: the network cannot be opened.
        """
        scale = nearest(factor, self._scales)
        with self._opening:
            if scale not in self._open:
                self._open[scale] = Sessions(self._model, self._backend, scale, self._threads)
            return self._open[scale]

    @property
    def backends(self) -> dict[str, str]:
        """Backend by name of the network, of the networks that were opened so far."""
        found: dict[str, str] = {}
        for sessions in self._open.values():
            found |= sessions.backends
        return found

    def close(self) -> None:
        """Close all of them; nothing may run in one any more."""
        for sessions in self._open.values():
            sessions.close()

    def _known(self, name: str) -> tuple[int, ...]:
        """Return the scales at which a network of this name can be opened.

        Raises:
            ModelError: none of this name is shipped, and none is trained here.
        """
        scales = tuple(scale for known, scale in shipped_names() if known == name)
        if scales:
            return scales
        if self._backend == "torch":  # whose registry knows more names, and says what is missing
            return (round(self.scale),)
        names = ", ".join(sorted({known for known, _ in shipped_names()}))
        raise ModelError(
            f"no network of this name comes with edgesr; those that do: {names}",
            where=Argument("model", name),
            fix="edgesr models",
        )


def _is_path(model: str) -> bool:
    return Path(model).suffix != "" or Path(model).name != model
