"""Pictures for our components, served from `/api/media/…`: bounded memory, unguessable addresses, kept by the browser.

Streamlit would send every picture anew with each message to a component; an address is sent once and then cached.
"""

import hashlib
import hmac
import secrets

from starlette.requests import Request
from starlette.responses import Response

from segdemo.inference.cache import BoundedCache

__all__ = ["media_url", "serve_media"]

MAX_BYTES = 256_000_000
_SECRET = secrets.token_bytes(32)  # addresses cannot be computed from a picture that somebody else has too
_store: BoundedCache[str, tuple[bytes, str]] = BoundedCache(MAX_BYTES, lambda item: len(item[0]))


def media_url(data: bytes, mime: str) -> str:
    """Keep a picture and return its address, relative to the app's root. The same bytes have the same address."""
    token = hmac.new(_SECRET, data, hashlib.sha256).hexdigest()
    _store.put(token, (data, mime))
    return f"api/media/{token}"


async def serve_media(request: Request) -> Response:
    """The picture, or 404 where it is unknown or was dropped from memory."""
    item = _store.get(request.path_params["token"])
    if item is None:
        return Response("Not found", status_code=404, media_type="text/plain")
    return Response(item[0], media_type=item[1], headers={"Cache-Control": "private, max-age=86400, immutable"})
