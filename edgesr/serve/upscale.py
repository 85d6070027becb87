"""`POST /upscale`: a picture in, an enlarged picture out."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from edgesr.errors import EdgesrError
from edgesr.serve.body import check_head, read_body
from edgesr.serve.form import Form, wanted_format
from edgesr.serve.line import Line
from edgesr.serve.metrics import ServerMetrics
from edgesr.serve.refusal import refusal_of
from edgesr.serve.settings import ServerSettings
from edgesr.serve.worker import ServedPicture, ServeJob, Worker

PIECE_BYTES = 1 << 18


class Upscale:
    """The route POST /upscale.

    Args:
        worker: enlarges.
        line: the queue before it.
        metrics: counts pictures.
        settings: limits.
        log: takes what went wrong here, and not with the picture.
    """

    def __init__(
        self,
        worker: Worker,
        line: Line,
        metrics: ServerMetrics,
        settings: ServerSettings,
        log: Callable[[str], None],
    ) -> None:
        self._worker = worker
        self._line = line
        self._metrics = metrics
        self._settings = settings
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, unless the client goes away.

        Raises:
            Refusal: it gets no picture.
        """
        with suppress(ClientDisconnect):
            await self._answer(Request(scope, receive), send)

    async def _answer(self, request: Request, send: Send) -> None:
        """Answer a request.

        Raises:
            Refusal: it gets no picture.
            ClientDisconnect: the client went away.
        """
        form = wanted_format(request.query_params.multi_items(), request.headers.get("accept"))
        check_head(request.headers, self._settings.max_body_bytes)
        with self._line.place(), ExitStack() as until_sent:
            job = ServeJob(await read_body(request.stream(), self._settings), form)
            try:
                result = await self._while_waited_for(job, request.receive, until_sent)
            except EdgesrError as error:
                refusal = refusal_of(error)
                if refusal.status == 500:
                    self._log(f"error: {error}")
                raise refusal from error
            await _send(result, form, send)

    async def _while_waited_for(
        self, job: ServeJob, receive: Receive, until_sent: ExitStack
    ) -> ServedPicture:
        """Enlarge a picture, or give it up as soon as the client goes away.

        Raises:
            ClientDisconnect: it did.
            EdgesrError: the picture cannot be enlarged.
        """
        making = asyncio.ensure_future(self._make(job, until_sent))
        leaving = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait((making, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not making.done():
                raise ClientDisconnect
            return making.result()
        finally:
            job.stop()
            making.cancel()
            leaving.cancel()
            await asyncio.gather(making, leaving, return_exceptions=True)

    async def _make(self, job: ServeJob, until_sent: ExitStack) -> ServedPicture:
        asked = time.perf_counter()
        async with self._line.turn():
            begun = time.perf_counter()
            result = await asyncio.wrap_future(self._worker.enlarge(job))
            until_sent.enter_context(self._line.unsent(len(result.data)))
        self._line.took(time.perf_counter() - begun)
        self._metrics.enlarged(len(job.data), begun - asked, result)
        return result


async def _gone(receive: Receive) -> None:
    """Return when the client has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(result: ServedPicture, form: Form, send: Send) -> None:
    """Send a result in pieces; between them the server waits until the client has taken some."""
    headers = [
        (b"content-type", form.media_type.encode()),
        (b"content-length", str(len(result.data)).encode()),
        (b"vary", b"Accept"),
        (b"server-timing", _timing(result)),
        (b"edgesr-size", "{}x{}".format(*result.output_size).encode()),
        (b"edgesr-model", _one_line(result.model)),
    ]
    if result.notes:
        headers.append((b"edgesr-notes", _one_line(" | ".join(result.notes))))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    view = memoryview(result.data)
    for begin in range(0, len(view), PIECE_BYTES):
        piece = bytes(view[begin : begin + PIECE_BYTES])
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _timing(result: ServedPicture) -> bytes:
    """Return the milliseconds as browsers' tools show them (W3C Server Timing)."""
    parts = (("decode", result.decode_ms), ("run", result.run_ms), ("encode", result.encode_ms))
    return ", ".join(f"{name};dur={ms:.1f}" for name, ms in parts).encode()


def _one_line(notes: str) -> bytes:
    """Return notes as a header may hold them: ASCII, anything else as Python escapes."""
    return "".join(c if c.isprintable() else " " for c in notes).encode("ascii", "backslashreplace")
