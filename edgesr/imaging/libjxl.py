"""libjxl, the library of JPEG XL, by its C interface (jxl/decode.h and jxl/encode.h).

imagecodecs brings it, in its wheels for x86-64 and aarch64, but hands over no size before the
pixels, no profile and no metadata, and decodes what was compressed with a profile into 8 bits of
linear light. So the library is called here, and imagecodecs only says where it lies.
"""

import ctypes
from functools import cache

from edgesr.errors import ImageError

KIND = "JPEG XL"
FIX = "pip install --upgrade imagecodecs"

SUCCESS = 0
"""What every function of libjxl returns when it did what it was asked for."""

UINT8, UINT16 = 2, 3
"""Types of a sample (JxlDataType)."""

OF_THE_FILE, OF_THE_PIXELS = 0, 1
"""Whose profile is asked for (JxlColorProfileTarget)."""

_OLDEST = 11_000  # libjxl 0.11: the first that gives all memory back to the manager it was given
_POINTER, _INT, _SIZE = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t


def _numbers(text: str) -> list[tuple[str, type[ctypes.c_uint32]]]:
    return [(name, ctypes.c_uint32) for name in text.split()]


class BasicInfo(ctypes.Structure):
    """JxlBasicInfo of jxl/codestream_header.h, with the room that it reserves for later."""

    _fields_ = (
        *_numbers("have_container xsize ysize bits exponent_bits"),
        ("intensity_target", ctypes.c_float),
        ("min_nits", ctypes.c_float),
        ("relative_to_max_display", ctypes.c_uint32),
        ("linear_below", ctypes.c_float),
        *_numbers("uses_original_profile have_preview have_animation orientation"),
        *_numbers("colour_channels extra_channels alpha_bits alpha_exponent_bits"),
        *_numbers("alpha_premultiplied preview_xsize preview_ysize"),
        ("animation", ctypes.c_uint32 * 4),
        ("intrinsic", ctypes.c_uint32 * 2),
        ("reserved", ctypes.c_uint8 * 100),
    )


class ColourEncoding(ctypes.Structure):
    """JxlColorEncoding of jxl/color_encoding.h."""

    _fields_ = (
        ("space", _INT),
        ("white_point", _INT),
        ("white_point_xy", ctypes.c_double * 2),
        ("primaries", _INT),
        ("primaries_xy", ctypes.c_double * 6),
        ("transfer", _INT),
        ("gamma", ctypes.c_double),
        ("intent", _INT),
    )

    @property
    def is_srgb(self) -> bool:
        """Whether the values are those of sRGB, or grey by its transfer function."""
        if (self.white_point, self.transfer) != (1, 13):
            return False
        return (self.space, self.primaries) == (0, 1) or bool(self.space == 1)


class PixelFormat(ctypes.Structure):
    """JxlPixelFormat of jxl/types.h; rows without gaps, in the byte order of the machine."""

    _fields_ = (
        ("channels", ctypes.c_uint32),
        ("type", _INT),
        ("endianness", _INT),
        ("align", _SIZE),
    )


class ColourManagement(ctypes.Structure):
    """JxlCmsInterface of jxl/cms_interface.h, which is handed on as it is."""

    _fields_ = (("functions", _POINTER * 8),)


Allocate = ctypes.CFUNCTYPE(_POINTER, _POINTER, _SIZE)
"""How libjxl asks for memory."""

Free = ctypes.CFUNCTYPE(None, _POINTER, _POINTER)
"""How libjxl gives memory back."""


class MemoryManager(ctypes.Structure):
    """JxlMemoryManager of jxl/memory_manager.h."""

    _fields_ = (("opaque", _POINTER), ("allocate", Allocate), ("free", Free))


_ARGUMENTS: dict[str, tuple[type, ...]] = {
    "DecoderCreate": (_POINTER,),
    "DecoderDestroy": (_POINTER,),
    "DecoderSubscribeEvents": (_POINTER, _INT),
    "DecoderSetInput": (_POINTER, ctypes.c_char_p, _SIZE),
    "DecoderCloseInput": (_POINTER,),
    "DecoderProcessInput": (_POINTER,),
    "DecoderSetUnpremultiplyAlpha": (_POINTER, _INT),
    "DecoderGetBasicInfo": (_POINTER, _POINTER),
    "DecoderGetColorAsEncodedProfile": (_POINTER, _INT, _POINTER),
    "DecoderGetICCProfileSize": (_POINTER, _INT, _POINTER),
    "DecoderGetColorAsICCProfile": (_POINTER, _INT, _POINTER, _SIZE),
    "DecoderSetCms": (_POINTER, ColourManagement),
    "DecoderSetOutputColorProfile": (_POINTER, _POINTER, ctypes.c_char_p, _SIZE),
    "DecoderSetImageOutBuffer": (_POINTER, _POINTER, _POINTER, _SIZE),
    "EncoderCreate": (_POINTER,),
    "EncoderDestroy": (_POINTER,),
    "EncoderUseContainer": (_POINTER, _INT),
    "EncoderUseBoxes": (_POINTER,),
    "EncoderAddBox": (_POINTER, ctypes.c_char_p, ctypes.c_char_p, _SIZE, _INT),
    "EncoderInitBasicInfo": (_POINTER,),
    "EncoderSetBasicInfo": (_POINTER, _POINTER),
    "EncoderSetColorEncoding": (_POINTER, _POINTER),
    "EncoderSetICCProfile": (_POINTER, ctypes.c_char_p, _SIZE),
    "EncoderFrameSettingsCreate": (_POINTER, _POINTER),
    "EncoderSetFrameDistance": (_POINTER, ctypes.c_float),
    "EncoderSetFrameLossless": (_POINTER, _INT),
    "EncoderFrameSettingsSetOption": (_POINTER, _INT, ctypes.c_int64),
    "EncoderAddImageFrame": (_POINTER, _POINTER, _POINTER, _SIZE),
    "EncoderCloseInput": (_POINTER,),
    "EncoderProcessOutput": (_POINTER, _POINTER, _POINTER),
    "EncoderDistanceFromQuality": (ctypes.c_float,),
    "ColorEncodingSetToSRGB": (_POINTER, _INT),
    "GetDefaultCms": (),
}
_POINTERS = ("DecoderCreate", "EncoderCreate", "EncoderFrameSettingsCreate")


@cache
def libjxl() -> ctypes.CDLL:
    """Return the library, its functions with their types.

    Raises:
        ImageError: this imagecodecs was built without it, or with one that is too old.
    """
    try:
        from imagecodecs import _jpegxl

        library = ctypes.CDLL(_jpegxl.__file__)  # what it is linked with is found through it
        version = library.JxlDecoderVersion()
    except (ImportError, OSError, AttributeError):
        version = 0
    if version < _OLDEST:
        raise ImageError(
            f"{KIND} pictures need an imagecodecs with libjxl 0.11, which is not installed", fix=FIX
        )
    for name, arguments in _ARGUMENTS.items():
        function = getattr(library, f"Jxl{name}")
        function.argtypes = arguments
        if name in _POINTERS:
            function.restype = _POINTER
    library.JxlEncoderDistanceFromQuality.restype = ctypes.c_float
    library.JxlGetDefaultCms.restype = ctypes.POINTER(ColourManagement)
    return library
