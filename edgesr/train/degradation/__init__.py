"""Ways of making LR patches, beside MATLAB's bicubic, which the pictures bring along."""

from edgesr.train.degradation.photo import Photo

__all__ = ["Photo"]
