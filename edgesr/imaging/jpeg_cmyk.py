"""JPEG files of CMYK colours that bring their profile."""

import numpy as np

from edgesr.imaging.cmyk import to_rgb
from edgesr.imaging.layers import Layers
from edgesr.imaging.opencv import decode_samples
from edgesr.imaging.png import DamagedError


def decode_cmyk(data: bytes, profile: bytes, inverted: bool) -> Layers:
    """Decode the inks and convert them through their profile.

    OpenCV decodes first, since only it tells whether pixels are missing, but it hands over RGB.

    Args:
        data: the file.
        profile: of its colours.
        inverted: 0 stands for full ink.

    Raises:
        ImageError: damaged, or there is too little memory.
        DamagedError: the decoder of the inks refuses it.
    """
    import imagecodecs

    _, remarks = decode_samples(data, "JPEG")
    try:
        inks = imagecodecs.jpeg8_decode(data, outcolorspace="CMYK")
    except imagecodecs.Jpeg8Error:
        raise DamagedError from None
    if inks.ndim != 3 or inks.shape[2] != 4:
        raise DamagedError
    inks = np.subtract(255, inks) if inverted else inks
    colour, note = to_rgb(inks, profile)
    return Layers(colour, notes=(*remarks, note))
