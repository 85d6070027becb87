"""Which kind of file a request wants: `?format=webp&quality=80`, or its Accept header. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgesr.errors import ConfigError
from edgesr.imaging.encode import FORMATS, FileFormat, format_for
from edgesr.imaging.quality import DEFAULT_QUALITY
from edgesr.serve.refusal import RequestRefusal

MEDIA_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WebP": "image/webp",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
    "AVIF": "image/avif",
    "JPEG XL": "image/jxl",
}
"""Media type by the name of a format; PNG, which keeps everything, is preferred."""


@dataclass(frozen=True)
class Form:
    """What the result is written as.

    Attributes:
        target: kind of file.
        quality: 1 to 100, for JPEG, WebP, AVIF and JPEG XL.
    """

    target: FileFormat
    quality: int

    @property
    def media_type(self) -> str:
        """Of the answer."""
        return MEDIA_TYPES[self.target.name]


def wanted_format(query: Sequence[tuple[str, str]], accept: str | None) -> Form:
    """Return the kind of file that a request wants; the query goes before the header.

    Args:
        query: names and values.
        accept: the header, None without one.

    Raises:
        Refusal: 400 for a query that cannot be, 406 if no kind that is written is accepted.
    """
    asked: dict[str, str] = {}
    for name, value in query:
        if name not in ("format", "quality"):
            advice = "only format and quality can be asked for; a picture is sent as the body"
            raise RequestRefusal(400, f"there is no '{name}' to ask for", "query", advice)
        if name in asked:
            raise RequestRefusal(400, f"'{name}' is given twice", "query", "give it once")
        asked[name] = value
    quality = _quality(asked["quality"]) if "quality" in asked else DEFAULT_QUALITY
    if "format" not in asked:
        return Form(_accepted(accept), quality)
    try:
        target = format_for(f".{asked['format'].removeprefix('.')}")
    except ConfigError as error:
        raise RequestRefusal(
            400, error.what, "query: format", "POST /upscale?format=png"
        ) from error
    return Form(target, quality)


def _quality(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= 100):
        what = f"a quality is a whole number from 1 to 100, not '{text}'"
        raise RequestRefusal(400, what, "query: quality", "POST /upscale?quality=95")
    return int(text)


def _accepted(accept: str | None) -> FileFormat:
    """Return the first format with the highest weight (RFC 9110, 12.5.1)."""
    if accept is None or not accept.strip():
        return FORMATS[0]
    weights = _weights(accept)

    def weight(candidate: FileFormat) -> float:
        kind = MEDIA_TYPES[candidate.name]
        ranges = (kind, "image/*", "*/*")  # the most specific one counts
        return next((weights[name] for name in ranges if name in weights), 0.0)

    best = max(FORMATS, key=weight)
    if weight(best) > 0:
        return best
    known = ", ".join(MEDIA_TYPES.values())
    raise RequestRefusal(406, f"the result is one of {known}", "header Accept", "Accept: image/png")


def _weights(accept: str) -> dict[str, float]:
    """Return the weight of every range of an Accept header; what is no number counts as 1."""
    weights: dict[str, float] = {}
    for entry in accept.split(","):
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q" and value.strip().replace(".", "", 1).isdecimal():
                weight = min(float(value), 1.0)
        weights[name] = weight
    return weights
