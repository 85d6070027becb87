"""The server's routes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from edgesr.serve.doorman import Doorman, answer
from edgesr.serve.line import Line
from edgesr.serve.metrics import MEDIA_TYPE, ServerMetrics
from edgesr.serve.refusal import RequestRefusal
from edgesr.serve.settings import ServerSettings
from edgesr.serve.upscale import Upscale
from edgesr.serve.web_page import page_files
from edgesr.serve.worker import Worker
from edgesr.version import __version__


def make_app(
    worker: Worker,
    settings: ServerSettings,
    log: Callable[[str], None],
    on_ready: Callable[[], None],
) -> Doorman:
    """Return the server as an ASGI application.

    Args:
        worker: enlarges; closing it is left to the caller.
        settings: limits.
        log: takes a line for every request, and what goes wrong here.
        on_ready: called when requests can come.
    """
    line = Line(settings.waiting, settings.unsent_bytes)
    metrics = ServerMetrics(worker.network, line)

    async def health(_: Request) -> Response:
        network = worker.network
        return JSONResponse(
            {
                "status": "ok",
                "version": __version__,
                "model": network.model,
                "scale": network.scale,
                "backend": network.backend,
                "in_line": line.taken,
                "places": line.places,
            }
        )

    async def counters(_: Request) -> Response:
        return Response(metrics.text(), headers={"Content-Type": MEDIA_TYPE})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        on_ready()
        yield

    routes: list[BaseRoute] = [
        *(
            Route(path, _fixed(content, kind))
            for path, content, kind in page_files(worker.network, settings)
        ),
        Route("/health", health),
        Route("/metrics", counters),
        Route("/upscale", Upscale(worker, line, metrics, settings, log), methods=["POST"]),
    ]
    paths = {route.path for route in routes if isinstance(route, Route)}
    app = Starlette(
        routes=routes,
        exception_handlers={
            RequestRefusal: _refused,
            HTTPException: _no_route,
            Exception: _our_fault,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    # Outside of Starlette's own layers, so that it sees their answers to our faults as well.
    return Doorman(app, frozenset(settings.names), paths, metrics, log)


def _fixed(content: bytes, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(_: Request) -> Response:
        return Response(content, media_type=media_type)

    return endpoint


async def _refused(_: Request, error: Exception) -> Response:
    """Answer what a route refuses."""
    if not isinstance(error, RequestRefusal):
        raise error
    return answer(error)


async def _no_route(request: Request, error: Exception) -> Response:
    """Answer what no route takes."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "POST")
        what = f"{request.method} is not answered here"
        refusal = RequestRefusal(405, what, request.url.path, f"use {allowed}", error.headers)
    else:
        advice = "GET / for the page, POST /upscale with a picture as the body"
        refusal = RequestRefusal(404, "there is nothing here", request.url.path, advice)
    return answer(refusal)


async def _our_fault(_: Request, __: Exception) -> Response:
    """Answer what should not have happened; the server's own log says more."""
    advice = "tell who runs the server; its log says more"
    return answer(RequestRefusal(500, "the server failed at this", "server", advice))
