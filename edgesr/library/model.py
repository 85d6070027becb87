"""A network that is open, and pictures through it: files, or arrays of the caller."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from edgesr.errors import ConfigError
from edgesr.imaging.quality import DEFAULT_QUALITY
from edgesr.library.enlarge import Ask, Writing, enlarged, enlarged_to_file
from edgesr.library.picture_file import read
from edgesr.library.size import Size
from edgesr.library.upscaled import Upscaled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgesr.library.scales import Scales
    from edgesr.runtime.upscale import OnTile, Tile

    Array: TypeAlias = NDArray[Any]


class Model:
    """A network that is open, made by `open_model`; a context that closes it.

    Several threads may call `upscale` at the same time: on the CPU their tiles share the threads
    that the network was given, an engine of TensorRT takes one call after the other. `close` waits
    for the calls that run; a call after it is an error.
    """

    def __init__(self, scales: "Scales") -> None:
        self._scales = scales
        self._change = threading.Condition()
        self._running = 0
        self._is_closed = False

    @property
    def scale(self) -> float:
        """Output side over input side, where a call asks for no other size."""
        return self._scales.scale

    @property
    def backends(self) -> dict[str, str]:
        """Backend by name of the network, of the networks that were opened so far.

        There may be two, where none was named and each picture got the one that suits it.
        """
        return self._scales.backends

    @overload
    def upscale(
        self,
        picture: "Array | str | Path",
        output: None = None,
        *,
        tile: "Tile | None" = None,
        overlap: int | None = None,
        width: int | None = None,
        height: int | None = None,
        tta: bool = False,
        on_tile: "OnTile | None" = None,
    ) -> "Array": ...

    @overload
    def upscale(
        self,
        picture: "Array | str | Path",
        output: str | Path,
        *,
        tile: "Tile | None" = None,
        overlap: int | None = None,
        width: int | None = None,
        height: int | None = None,
        tta: bool = False,
        quality: int = DEFAULT_QUALITY,
        background: str | None = None,
        overwrite: bool = False,
        make_folders: bool = False,
        check_seams: bool = False,
        on_tile: "OnTile | None" = None,
    ) -> Upscaled: ...

    def upscale(
        self,
        picture: "Array | str | Path",
        output: str | Path | None = None,
        *,
        tile: "Tile | None" = None,
        overlap: int | None = None,
        width: int | None = None,
        height: int | None = None,
        tta: bool = False,
        quality: int = DEFAULT_QUALITY,
        background: str | None = None,
        overwrite: bool = False,
        make_folders: bool = False,
        check_seams: bool = False,
        on_tile: "OnTile | None" = None,
    ) -> "Array | Upscaled":
        """Enlarge a picture, in tiles, into an array or a file.

        Args:
            picture: a file of a kind that docs/formats.md lists; or an array, (height, width) grey
                or (height, width, channels) with 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB,
                alpha) channels, uint8 or uint16 from 0 to the type's largest value, or float32 in
                [0, 1].
            output: file to write, in the format that its ending names; None: return an array.
            tile: side of a tile in input pixels, or (height, width); None: the network's own.
            overlap: input pixels that neighbouring tiles share at least; None: the usual 8.
            width: of the result in pixels at most, instead of the model's scale; its shape stays.
            height: of the result in pixels at most, in the same way.
            tta: run every tile in its eight orientations and average, for eight times the time.
            quality: of a JPEG, WebP, AVIF or JPEG XL file, from 1 to 100.
            background: colour behind transparent parts where the format has no alpha channel, such
                as JPEG: `white`, `black`, `grey` or `#rrggbb`; None: such a picture is refused.
            overwrite: replace a file that is there.
            make_folders: make the folders of `output` that are missing.
            check_seams: measure whether tile borders show, which takes as long again.
            on_tile: called after every tile with how many are done, and how many there are; what
                it raises ends the call.

        Returns:
            Without `output` the enlarged picture, of the type of the array, or uint8 or uint16 as
            the file was: (scale*height, scale*width), rounded, and a last axis of channels
            where the array had one and where a file has colour or alpha. With `output` what was
            done; the file holds EXIF data and colour profile of a picture from a file.

        Raises:
            ImageError: the picture cannot be read, is none, or the format cannot hold the result.
            ConfigError: `tile` or `overlap` do not fit, the sides of the result would not be 1 to 8
                times the picture's, `background` is no colour, `output` is there already, cannot be
                written or names no format, or the model is closed.
            ModelError: a tile came out broken.
            EdgesrError: the disk is full, or the network of this picture cannot be opened.
        """
        ask = Ask(Size(self.scale, width, height), tile, overlap, tta, on_tile)
        with self._in_use():
            if output is None:
                return self._to_array(picture, ask)
            writing = Writing(quality, background, overwrite, make_folders, check_seams)
            return enlarged_to_file(self._scales, picture, output, ask, writing)

    def close(self) -> None:
        """Wait for the calls that run, and give back what the network holds."""
        with self._change:
            if self._is_closed:
                return
            self._is_closed = True
            self._change.wait_for(lambda: self._running == 0)
        self._scales.close()

    def __enter__(self) -> "Model":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        with self._change:
            if self._is_closed:
                raise ConfigError("the model is closed", fix="edgesr.open_model(...)")
            self._running += 1
        try:
            yield
        finally:
            with self._change:
                self._running -= 1
                self._change.notify_all()

    def _to_array(self, picture: "Array | str | Path", ask: Ask) -> "Array":
        from edgesr.imaging.array import array_of

        array = array_of(enlarged(self._scales, read(picture), ask))
        is_column = not isinstance(picture, (str, Path)) and picture.ndim > array.ndim
        return array[:, :, None] if is_column else array  # (height, width, 1) stays so


def open_model(
    model: str | Path | None = None,
    *,
    scale: float | None = None,
    backend: str = "auto",
    threads: int | None = None,
) -> Model:
    """Open a network for any number of pictures.

    Args:
        model: name of a network that is shipped, such as `student`, or path of an .onnx or .engine
            file; None: `photo` for each picture that was stored with loss, such as a JPEG, and
            `student` for others.
        scale: output side over input side, any number from 1 to 8; None: what the model file
            was made for, or 4 for a network's name. Where the network has no such scale, the
            nearest one that it has is run, and the result brought to its size by bicubic
            interpolation.
        backend: `onnxruntime`, `tensorrt`, `torch`, or `auto` for the best that suits the model
            here.
        threads: threads of the CPU; None: as many as there are cores.

    Raises:
        ConfigError: no such backend, or a scale that is not from 1 to 8.
        MissingError: the backend is not installed.
        ModelError: the model cannot be loaded, or nothing of this name is shipped.
        EngineError: the engine does not fit this machine.
    """
    from edgesr.library.scales import Scales

    return Model(Scales(None if model is None else str(model), backend, scale, threads))
