"""The peak signal-to-noise ratio of a mean square error: one formula, one value for no error."""

import math

IDENTICAL_DB = 150.0
"""The PSNR of what does not differ, and the highest that is reported: in place of infinity, which
JSON has no number for. Values in float32 that agree to their last bit are some 145 dB apart."""


def psnr_db(mean_square: float, peak: float = 1.0) -> float:
    """Return the PSNR in dB, at most `IDENTICAL_DB`.

    Args:
        mean_square: mean of the squared differences.
        peak: largest value that there can be, in the same unit: 255 for 8 bits.
    """
    if mean_square <= 0:
        return IDENTICAL_DB
    return min(10 * math.log10(peak**2 / mean_square), IDENTICAL_DB)  # in this order NaN stays
