"""The web page at `/` and the API reference at `/docs`: own files, and libraries from installed wheels. They need no key and load
nothing from other hosts."""

import asyncio
import gzip
from dataclasses import dataclass
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel

from services.gateway.domain.etags import matches
from services.gateway.domain.media import accepts_gzip
from shared.problems import NotFound

PAGE = Path(__file__).parents[1] / "page"
LIBRARIES = {
    "plotly.min.js": ("plotly", "package_data"),
    "swagger-ui-bundle.js": ("fastapi_offline", "static"),
    "swagger-ui.css": ("fastapi_offline", "static"),
}
"""File name → (package, folder) of the wheel that carries it."""
DAY = 86_400

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
COMPRESSED = {".css", ".html", ".js", ".svg"}

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file and, if it compresses well, its gzip."""

    content: bytes
    gzipped: bytes | None
    media_type: str
    digest: str


class BrowserHeaders(BaseModel):
    """The headers of a request that decide the form of a file."""

    accept_encoding: str = ""
    if_none_match: str | None = None


Browser = Annotated[BrowserHeaders, Header()]
"""A parameter of a route: the browser's headers."""


class Files:
    """The files of the page by name. Each is read and compressed once, and again when it has changed on disk."""

    def __init__(self, page: Path = PAGE) -> None:
        self._page = page
        self._cached: dict[str, tuple[int, asyncio.Future[File]]] = {}

    async def get(self, name: str) -> File:
        """The file with this name. Raises NotFound if the page has no such file."""
        path = library_path(name) if name in LIBRARIES else self._page / name
        if Path(name).name != name or path.suffix not in MEDIA_TYPES or not path.is_file():
            raise NotFound
        modified = path.stat().st_mtime_ns
        cached_at, file = self._cached.get(name, (0, None))
        if file is None or cached_at != modified:
            file = asyncio.ensure_future(asyncio.to_thread(_read, path))
            self._cached[name] = (modified, file)
        return await asyncio.shield(file)


def library_path(name: str) -> Path:
    """Where the wheel of a library installed this file."""
    package, folder = LIBRARIES[name]
    return Path(str(files(package) / folder / name))


def _read(path: Path) -> File:
    content = path.read_bytes()
    gzipped = gzip.compress(content, 6, mtime=0) if path.suffix in COMPRESSED else None
    return File(content, gzipped, MEDIA_TYPES[path.suffix], blake2b(content, digest_size=12).hexdigest())


def router(page_files: Files) -> APIRouter:
    """`/`, `/docs` and `/static/…`. Browsers keep libraries for a day and revalidate our own files."""
    routes = APIRouter(include_in_schema=False)

    @routes.api_route("/", methods=["GET", "HEAD"])
    async def page(browser: Browser) -> Response:
        return respond(browser, await page_files.get("index.html"), "no-cache")

    @routes.api_route("/docs", methods=["GET", "HEAD"])
    async def reference(browser: Browser) -> Response:
        return respond(browser, await page_files.get("docs.html"), "no-cache")

    @routes.api_route("/static/{name}", methods=["GET", "HEAD"])
    async def static(browser: Browser, name: str) -> Response:
        caching = f"public, max-age={DAY}" if name in LIBRARIES else "no-cache"
        return respond(browser, await page_files.get(name), caching)

    return routes


def respond(browser: BrowserHeaders, file: File, caching: str) -> Response:
    """The file, gzipped if the browser accepts that; 304 if the browser has it."""
    gzipped = file.gzipped if accepts_gzip(browser.accept_encoding) else None
    etag = f'"{file.digest}-gz"' if gzipped else f'"{file.digest}"'
    headers = SECURITY_HEADERS | {"Cache-Control": caching, "ETag": etag, "Vary": "Accept-Encoding"}
    if matches(browser.if_none_match, etag):
        return Response(status_code=304, headers=headers)
    if gzipped:
        headers["Content-Encoding"] = "gzip"
    return Response(gzipped or file.content, headers=headers, media_type=file.media_type)
