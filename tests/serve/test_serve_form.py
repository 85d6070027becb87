"""Which kind of file is chosen: by the query, else by the Accept header (RFC 9110, 12.5.1)."""

import pytest

from edgesr.errors import Argument, ImageError, LimitError, ModelError
from edgesr.imaging.encode import FORMATS
from edgesr.serve.form import MEDIA_TYPES, wanted_format
from edgesr.serve.refusal import RequestRefusal, refusal_of


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "PNG"),
        ("", "PNG"),
        ("*/*", "PNG"),
        ("image/*", "PNG"),
        ("image/webp", "WebP"),
        ("text/html, image/jpeg;q=0.3", "JPEG"),
        ("image/jpeg;q=0.5, image/tiff;q=0.7", "TIFF"),
        ("image/png;q=0.1, image/*;q=0.2", "JPEG"),  # the most specific range counts for PNG
        ("image/avif,image/webp,image/apng,image/*,*/*;q=0.8", "PNG"),  # a browser's
        ("IMAGE/WEBP ; Q=0.9", "WebP"),
        ("image/bmp;q=nonsense", "BMP"),
    ],
)
def test_by_header(accept: str | None, kind: str) -> None:
    assert wanted_format((), accept).target.name == kind


def test_the_query_goes_before_the_header() -> None:
    form = wanted_format((("format", "jpg"), ("quality", "7")), "image/png")
    assert (form.target.name, form.quality, form.media_type) == ("JPEG", 7, "image/jpeg")
    assert wanted_format((("format", "JPEG"),), None).quality == 95


@pytest.mark.parametrize("accept", ["image/heic", "text/html", "image/png;q=0", "*/*;q=0.0", ";,;"])
def test_none_of_ours(accept: str) -> None:
    with pytest.raises(RequestRefusal) as refused:
        wanted_format((), accept)
    assert refused.value.status == 406


def test_every_format_has_a_media_type() -> None:
    assert list(MEDIA_TYPES) == [target.name for target in FORMATS]


@pytest.mark.parametrize(
    ("error", "status", "next_step"),
    [
        (ImageError("damaged"), 422, "send another picture"),
        (ImageError("no alpha", fix=Argument("format", "png")), 422, "POST /upscale?format=png"),
        (ImageError("float", fix="convert it to PNG first"), 422, "convert it to PNG first"),
        (
            LimitError("large", fix="edgesr --max-megapixels 20 COMMAND ..."),
            413,
            "send a smaller picture; who runs the server raises the limit: "
            "edgesr --max-megapixels 20 serve",
        ),
        (LimitError("no memory"), 413, "send a smaller picture"),
        (ModelError("black", where="student"), 500, "tell who runs the server; its log says more"),
    ],
)
def test_errors_become_answers(error: ImageError, status: int, next_step: str) -> None:
    refusal = refusal_of(error)
    assert (refusal.status, refusal.next_step) == (status, next_step)
