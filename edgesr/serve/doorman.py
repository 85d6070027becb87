"""What every request passes: strangers are refused, answers get their headers, all is counted."""

import time
from collections.abc import Callable, Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edgesr.serve.metrics import ServerMetrics
from edgesr.serve.refusal import RequestRefusal
from edgesr.serve.visitors import Visitor, check_visitor

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
"""Of every answer: no script but the server's own, no frame around the page, nothing kept."""

GONE = "gone"


def answer(refusal: RequestRefusal) -> Response:
    """Return a refusal as an answer of HTTP."""
    return Response(
        refusal.document(), refusal.status, dict(refusal.headers), "application/json; charset=utf-8"
    )


class Doorman:
    """Wraps the routes.

    Args:
        app: the routes; they answer nothing where there is nobody to answer.
        names: of this machine, in lower case.
        paths: of the routes.
        metrics: counts answers.
        log: takes a line for every request.
    """

    def __init__(
        self,
        app: ASGIApp,
        names: Collection[str],
        paths: Collection[str],
        metrics: ServerMetrics,
        log: Callable[[str], None],
    ) -> None:
        self._app = app
        self._names = names
        self._paths = paths
        self._metrics = metrics
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; nothing else than HTTP arrives here but the server's own life span."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        status = GONE

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        try:
            check_visitor(_visitor(scope), self._names)
            await self._app(scope, receive, send_with_headers)
        except RequestRefusal as refusal:  # of the visitor
            await answer(refusal)(scope, receive, send_with_headers)
        finally:
            self._note(scope, status, time.perf_counter() - start)

    def _note(self, scope: Scope, status: str, seconds: float) -> None:
        path = scope["path"]
        self._metrics.answered(path if path in self._paths else "other", status)
        client = scope["client"][0] if scope.get("client") else "-"
        self._log(f"{client} {scope['method']} {path} {status} {seconds * 1e3:.0f} ms")


def _visitor(scope: Scope) -> Visitor:
    headers = Headers(scope=scope)
    return Visitor(
        method=scope["method"],
        host=headers.get("host"),
        origin=headers.get("origin"),
        fetch_site=headers.get("sec-fetch-site"),
        fetch_mode=headers.get("sec-fetch-mode"),
    )
