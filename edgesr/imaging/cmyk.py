"""CMYK colours to RGB: through their profile by LittleCMS, by subtraction where they have none."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr.imaging.layers import Samples

WITHOUT_PROFILE = "its CMYK colours were converted to RGB without their profile"
THROUGH_PROFILE = "its CMYK colours were converted to sRGB through their profile"

_RELATIVE, _BLACK_POINT = 1, 0x2000  # LittleCMS: relative colorimetric, black point compensation
_BLOCK_PIXELS = 1 << 20


def is_cmyk(profile: bytes | None) -> bool:
    """Tell by its header (ICC.1:2022, 7.2.6) whether a profile speaks of CMYK colours."""
    return profile is not None and profile[16:20] == b"CMYK"


def to_rgb(inks: NDArray[Any], profile: bytes | None) -> tuple[Samples, str]:
    """Convert CMYK values.

    Args:
        inks: (height, width, 4), uint8 or uint16, the largest number being full ink.
        profile: ICC profile of the file.

    Returns:
        (height, width, 3) sRGB of the same type, and how it was done, a sentence.
    """
    if profile is not None and is_cmyk(profile):
        converted = _through_profile(inks, profile)
        if converted is not None:
            return converted, THROUGH_PROFILE
    result = np.empty((*inks.shape[:2], 3), inks.dtype)
    white = int(np.iinfo(inks.dtype).max)
    step = max(1, _BLOCK_PIXELS // inks.shape[1])
    for top in range(0, inks.shape[0], step):
        paper = (white - inks[top : top + step]).astype(np.float64)
        result[top : top + step] = np.rint(paper[:, :, :3] * paper[:, :, 3:] / white)
    return result, WITHOUT_PROFILE


def _through_profile(inks: NDArray[Any], profile: bytes) -> Samples | None:
    """Return sRGB values, None where LittleCMS refuses the profile."""
    import imagecodecs

    result = np.empty((*inks.shape[:2], 3), inks.dtype)
    step = max(1, _BLOCK_PIXELS // inks.shape[1])
    try:
        target = imagecodecs.cms_profile("srgb")
        for top in range(0, inks.shape[0], step):
            result[top : top + step] = imagecodecs.cms_transform(
                np.ascontiguousarray(inks[top : top + step]), profile, target,
                colorspace="cmyk", outcolorspace="rgb", intent=_RELATIVE, flags=_BLACK_POINT,
            )  # fmt: skip
    except (imagecodecs.CmsError, ValueError, RuntimeError):
        return None
    return result
