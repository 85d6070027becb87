"""The body of a request, read piece by piece and never beyond the limit."""

from collections.abc import AsyncIterator, Mapping

import anyio

from edgesr.serve.refusal import RequestRefusal
from edgesr.serve.settings import ServerSettings


def check_head(headers: Mapping[str, str], max_body_bytes: int) -> None:
    """Refuse what can be refused before a byte of the body is read.

    Args:
        headers: of the request.
        max_body_bytes: longest body.

    Raises:
        Refusal: 413 for one that says that it is longer, 415 for a form or a compressed body.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        advice = "send the file itself: curl --data-binary @photo.jpg"
        raise RequestRefusal(415, "forms are not read", "header Content-Type", advice)
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        advice = "send the picture's file as it is"
        raise RequestRefusal(
            415, f"bodies in {coding} are not read", "header Content-Encoding", advice
        )
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > max_body_bytes:
        raise _too_long(max_body_bytes, "header Content-Length")


async def read_body(stream: AsyncIterator[bytes], settings: ServerSettings) -> bytes:
    """Return a body that arrives in time and within the limit.

    Args:
        stream: gives its pieces.
        settings: limits.

    Raises:
        Refusal: 413 as soon as it is too long, 408 if it is too slow.
    """
    body = bytearray()
    try:
        with anyio.fail_after(settings.upload_s):
            async for piece in stream:
                if len(body) + len(piece) > settings.max_body_bytes:
                    raise _too_long(settings.max_body_bytes, "body")
                body += piece
    except TimeoutError:
        what = f"the picture did not arrive within {settings.upload_s:g} s"
        raise RequestRefusal(408, what, "body", "send it again, or a smaller one") from None
    return bytes(body)


def _too_long(max_body_bytes: int, where: str) -> RequestRefusal:
    return RequestRefusal(
        413,
        f"a picture's file may have {max_body_bytes:,} bytes here",
        where,
        "send a smaller one; who runs the server raises the limit with --max-body-mb",
    )
