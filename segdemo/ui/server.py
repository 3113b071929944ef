"""What the server does beside the pages: warm-up, security headers, pictures for components, readiness."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from segdemo.inference import shared_engine, warm_up
from segdemo.ui.architectures_data import warm_gallery
from segdemo.ui.media import serve_media
from segdemo.ui.url import DEFAULT_WEIGHTS

__all__ = ["MIDDLEWARE", "ROUTES", "lifespan"]

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "frame-ancestors 'self'; object-src 'none'; base-uri 'self'",
}
_ready = asyncio.Event()


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[dict[str, object]]:
    """Load the default network before the first visitor, and take everything loaded so far out of garbage collection.

    Without the freeze every rerun of a page collects through all of torch: 246 ms instead of 6 were measured.
    """
    await asyncio.to_thread(warm_up, shared_engine(), [DEFAULT_WEIGHTS])
    gc.collect()
    gc.freeze()
    _ready.set()
    drawing = asyncio.create_task(asyncio.to_thread(_draw_gallery))
    yield {}
    _ready.clear()
    drawing.cancel()


def _draw_gallery() -> None:
    """The silhouettes of all architectures take seconds: nobody at the first page waits for them."""
    warm_gallery()
    gc.collect()
    gc.freeze()


async def ready(_request: Request) -> Response:
    """200 once the default network is loaded, 503 before: for a load balancer, and for tests."""
    engine = shared_engine()
    body = {"ready": _ready.is_set(), "device": str(engine.device), "networks": len(engine.models), "passes": engine.passes}
    return JSONResponse(body, status_code=200 if _ready.is_set() else 503)


class SecurityHeaders(BaseHTTPMiddleware):
    """Adds the headers to every answer that is not a websocket."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


ROUTES = [Route("/api/ready", ready), Route("/api/media/{token:str}", serve_media)]
MIDDLEWARE = [Middleware(SecurityHeaders)]
