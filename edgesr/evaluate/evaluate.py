"""PSNR and SSIM of a model on a benchmark set, beside those of bicubic on the same pictures."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import numpy as np

from edgesr.errors import ImageError
from edgesr.evaluate.datasets import BenchmarkSet, ImagePair
from edgesr.evaluate.metrics import PROTOCOL, psnr_y, ssim_y
from edgesr.imaging.picture import Picture
from edgesr.imaging.resize import imresize

Enlarge = Callable[[Picture], Picture]
"""Makes a picture `scale` times as high and wide."""


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
    """Scores of one picture of a benchmark set.

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
    """Scores of a model on a benchmark set.

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


def bicubic(scale: int) -> Enlarge:
    """Return MATLAB's `imresize`: the control every model is printed beside."""
    return lambda picture: replace(picture, colour=imresize(picture.colour, scale))


def score(image: Picture, reference: Picture, scale: int) -> Score:
    """Compare an enlarged picture with the original by the protocol of `metrics`.

    Args:
        image: 8 bits a channel, of the size of `reference`.
        reference: the original; if it is grey, one channel of each is compared.
        scale: factor of the enlargement, and so the width of the border left out.

    Raises:
        ImageError: the sizes differ, or too few pixels are left inside the border.
    """
    first, second = (
        np.asarray(p.colour[..., 0] if reference.grey else p.colour, np.uint8)
        for p in (image, reference)
    )
    return Score(psnr_y(first, second, scale), ssim_y(first, second, scale))


def _scores(pair: ImagePair, enlarge: Enlarge) -> ImageScores:
    lr, hr = pair.load()
    try:
        model, control = (
            score(method(lr), hr, pair.scale) for method in (enlarge, bicubic(pair.scale))
        )
    except ImageError as error:
        raise error.at(pair.hr) from error
    return ImageScores(pair.name, model, control)
