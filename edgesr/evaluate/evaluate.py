"""PSNR and SSIM of a model on a benchmark set, beside those of bicubic on the same pictures."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import ImageError
from edgesr.evaluate.datasets import BenchmarkSet, Images, Pair
from edgesr.evaluate.metrics import PROTOCOL, psnr_y, ssim_y
from edgesr.imaging.resize import imresize

Rgb = NDArray[np.uint8]

Enlarge = Callable[[Images], Rgb]
"""Makes of `images.lr` the picture to be compared with `images.hr`: 8-bit RGB of its shape."""


@dataclass(frozen=True)
class Score:
    """How close a picture, or the mean of a set, is to the original.

    Attributes:
        psnr_y_db: peak signal-to-noise ratio of Y in dB; infinite for equal pictures.
        ssim_y: structural similarity of Y.
    """

    psnr_y_db: float
    ssim_y: float

    @classmethod
    def mean(cls, scores: Iterable["Score"]) -> "Score":
        """Return the arithmetic means, as the literature takes them (of decibels, too)."""
        scores = list(scores)
        return cls(fmean(s.psnr_y_db for s in scores), fmean(s.ssim_y for s in scores))

    def to_json(self, prefix: str = "") -> dict[str, float | None]:
        """Return the two numbers under their names; null for infinity, which JSON lacks."""
        psnr = self.psnr_y_db if math.isfinite(self.psnr_y_db) else None
        return {f"{prefix}psnr_y_db": psnr, f"{prefix}ssim_y": self.ssim_y}


@dataclass(frozen=True)
class ImageScores:
    """One picture of a set.

    Attributes:
        name: of the HR file, without its suffix.
        model: of the model's picture.
        bicubic: of the bicubic one.
    """

    name: str
    model: Score
    bicubic: Score


@dataclass(frozen=True)
class Evaluation:
    """A model on a set.

    Attributes:
        model: what was asked for: a configuration or an .onnx file.
        run: how it ran, such as `onnxruntime, tiles of 64 overlapping by 16`.
        benchmark: the set.
        images: one entry a picture.
    """

    model: str
    run: str
    benchmark: BenchmarkSet
    images: tuple[ImageScores, ...]

    @property
    def score(self) -> Score:
        """The model's means over the set."""
        return Score.mean(image.model for image in self.images)

    @property
    def bicubic(self) -> Score:
        """The means of bicubic over the set."""
        return Score.mean(image.bicubic for image in self.images)

    def to_json(self) -> dict[str, Any]:
        """Return what `edgesr eval --json` prints for this set."""
        return {
            "model": self.model,
            "images": len(self.images),
            **self.score.to_json(),
            **self.bicubic.to_json("bicubic_"),
            "per_image": [
                {"name": image.name, **image.model.to_json(), **image.bicubic.to_json("bicubic_")}
                for image in self.images
            ],
            "protocol": {
                "dataset": self.benchmark.name,
                "scale": self.benchmark.scale,
                "lr": self.benchmark.lr_source,
                "run": self.run,
                "metrics": PROTOCOL,
            },
        }


def evaluate(
    model: str,
    run: str,
    enlarge: Enlarge,
    benchmark: BenchmarkSet,
    on_image: Callable[[ImageScores], None] | None = None,
) -> Evaluation:
    """Enlarge every LR picture of a set and compare it with HR.

    Args:
        model: its name in the result.
        run: how it runs, in words, for the result.
        enlarge: the model.
        benchmark: the set.
        on_image: called after every picture.

    Raises:
        DataError: a pair does not fit.
        ImageError: a file is damaged, or too small for the metrics.
    """
    images: list[ImageScores] = []
    for pair in benchmark.pairs:
        images.append(_scores(pair, enlarge))
        if on_image is not None:
            on_image(images[-1])
    return Evaluation(model, run, benchmark, tuple(images))


def bicubic(images: Images) -> Rgb:
    """Enlarge as MATLAB's `imresize` does: the control every model is printed beside."""
    return imresize(images.lr, images.hr.shape[0] // images.lr.shape[0])


def score(image: Rgb, images: Images) -> Score:
    """Compare an enlarged picture with HR by the protocol of `metrics`.

    Args:
        image: of the shape of `images.hr`; where HR is grey its first channel counts.
        images: HR, and LR for the scale.

    Raises:
        ImageError: the shapes differ, or too few pixels are left inside the border.
    """
    border = images.hr.shape[0] // images.lr.shape[0]
    reference = images.hr
    if images.grey:
        image, reference = image[..., 0], reference[..., 0]
    return Score(psnr_y(image, reference, border), ssim_y(image, reference, border))


def _scores(pair: Pair, enlarge: Enlarge) -> ImageScores:
    images = pair.load()
    try:
        return ImageScores(
            pair.name, score(enlarge(images), images), score(bicubic(images), images)
        )
    except ImageError as error:
        raise ImageError(error.what, where=pair.hr, fix=error.fix) from error
