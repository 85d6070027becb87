"""A decoder of libjxl at work on one JPEG XL file: header, then colours, then pixels."""

import ctypes
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import ImageError
from edgesr.imaging.jxl_memory import Budget
from edgesr.imaging.libjxl import (
    KIND,
    OF_THE_FILE,
    SUCCESS,
    UINT8,
    UINT16,
    BasicInfo,
    ColourEncoding,
    PixelFormat,
    libjxl,
)
from edgesr.imaging.metadata import MOST_BYTES
from edgesr.imaging.png import DamagedError

HEADER_BYTES = 32 << 20
"""Most memory for all that precedes the pixels; the smallest pictures take a third of it."""

_BASIC_INFO, _COLOUR, _BUFFER, _WHOLE = 0x40, 0x100, 5, 0x1000  # JxlDecoderStatus
_CONVERTED = "its colours were converted to sRGB"
_TOO_LONG = f"its colour profile is longer than {MOST_BYTES >> 20} MiB and was left out"


class Decoder:
    """Reads one file from its header on; a context manager, and each method is called once."""

    def __init__(self, data: bytes, most_bytes: int = HEADER_BYTES) -> None:
        """Take a file, and at most so much memory for what libjxl makes of it.

        Raises:
            ImageError: imagecodecs here has no libjxl.
        """
        self._library, self._data, self._budget = libjxl(), data, Budget(most_bytes)
        self._decoder: int | None = None

    def __enter__(self) -> "Decoder":
        """Start.

        Raises:
            MemoryError: there is none for a decoder.
        """
        library = self._library
        self._decoder = library.JxlDecoderCreate(ctypes.byref(self._budget.manager))
        if not self._decoder:
            raise MemoryError
        library.JxlDecoderSubscribeEvents(self._decoder, _BASIC_INFO | _COLOUR | _WHOLE)
        library.JxlDecoderSetUnpremultiplyAlpha(self._decoder, True)
        library.JxlDecoderSetInput(self._decoder, self._data, len(self._data))
        library.JxlDecoderCloseInput(self._decoder)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give all memory back."""
        self._library.JxlDecoderDestroy(self._decoder)

    def info(self) -> BasicInfo:
        """Read the header.

        Raises:
            DamagedError: it cannot be.
        """
        self._expect(_BASIC_INFO)
        info = BasicInfo()
        self._library.JxlDecoderGetBasicInfo(self._decoder, ctypes.byref(info))
        return info

    def colours(self, info: BasicInfo) -> tuple[bytes | None, tuple[str, ...]]:
        """Choose the colours of the pixels, which are those of the file if that can be.

        Returns:
            The profile of the pixels, None for sRGB, and what is lost, one sentence each.

        Raises:
            DamagedError: the profile cannot be read.
        """
        self._expect(_COLOUR)
        said = self._encoding(OF_THE_FILE)
        stated = None if said is not None and said.is_srgb else self._profile(OF_THE_FILE)
        is_too_long = stated is not None and len(stated) > MOST_BYTES
        notes = (_TOO_LONG,) if is_too_long else ()
        if info.uses_original_profile or stated is None:
            return None if is_too_long else stated, notes
        # What is compressed lossily has no colours of its own; without more ado, libjxl decodes it
        # into the few that it knows, in linear light.
        library = self._library
        library.JxlDecoderSetCms(self._decoder, library.JxlGetDefaultCms().contents)
        wanted = library.JxlDecoderSetOutputColorProfile(self._decoder, None, stated, len(stated))
        if wanted == SUCCESS and not is_too_long:
            return stated, ()
        srgb = ColourEncoding()
        library.JxlColorEncodingSetToSRGB(ctypes.byref(srgb), info.colour_channels == 1)
        chosen = library.JxlDecoderSetOutputColorProfile(self._decoder, ctypes.byref(srgb), None, 0)
        if chosen != SUCCESS:
            raise DamagedError
        return None, (_CONVERTED,)

    def pixels(self, info: BasicInfo) -> NDArray[Any]:
        """Decode the picture, its first frame if it has several.

        Returns:
            (height, width, channels): grey or RGB and alpha where there is one, uint8 for up to 8
            bits and uint16 for more, white at the largest number.

        Raises:
            ImageError: it takes more memory than it may.
            DamagedError: it cannot be decoded, or not to its end.
        """
        kind, number = (np.uint8, UINT8) if _is_shallow(info) else (np.uint16, UINT16)
        channels = info.colour_channels + (info.alpha_bits > 0)
        self._expect(_BUFFER)
        pixels = np.empty((info.ysize, info.xsize, channels), kind)
        layout = PixelFormat(channels, number, 0, 0)
        given = self._library.JxlDecoderSetImageOutBuffer(
            self._decoder, ctypes.byref(layout), pixels.ctypes.data, pixels.nbytes
        )
        if given != SUCCESS:
            raise DamagedError
        self._expect(_WHOLE)
        return pixels

    def _expect(self, status: int) -> None:
        if self._library.JxlDecoderProcessInput(self._decoder) == status:
            return
        if self._budget.exceeded:
            raise ImageError(
                f"the {KIND} file takes more memory than a picture of its size does, "
                f"{self._budget.most_bytes >> 20} MiB"
            )
        raise DamagedError

    def _encoding(self, target: int) -> ColourEncoding | None:
        """Return the colours that a profile stands for, None where they have no name."""
        said = ColourEncoding()
        asked = self._library.JxlDecoderGetColorAsEncodedProfile(
            self._decoder, target, ctypes.byref(said)
        )
        return said if asked == SUCCESS else None

    def _profile(self, target: int) -> bytes:
        size = ctypes.c_size_t()
        library, decoder = self._library, self._decoder
        if library.JxlDecoderGetICCProfileSize(decoder, target, ctypes.byref(size)) != SUCCESS:
            raise DamagedError
        profile = ctypes.create_string_buffer(size.value)
        if library.JxlDecoderGetColorAsICCProfile(decoder, target, profile, size) != SUCCESS:
            raise DamagedError
        return profile.raw


def _is_shallow(info: BasicInfo) -> bool:
    return not info.exponent_bits and info.bits <= 8
