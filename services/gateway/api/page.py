"""The page: its own files and the chart library from the installed wheel. No key opens them, and nothing comes from elsewhere."""

import asyncio
import gzip
from dataclasses import dataclass
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Request, Response

from services.gateway.api.conditions import matches
from services.gateway.domain.media import gzip_accepted
from shared.problems import NotFound

PAGE = Path(__file__).parents[1] / "page"
PLOTLY = "plotly.min.js"
DAY = 86_400

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
COMPRESSED = {".css", ".html", ".js", ".svg"}

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent. `packed` is its gzip, where that is worth while."""

    content: bytes
    packed: bytes | None
    kind: str
    tag: str


class Files:
    """The files that may be fetched, by name; each is read and compressed once, and again when it has changed on disk."""

    def __init__(self, page: Path = PAGE) -> None:
        self._page = page
        self._plotly = Path(str(files("plotly") / "package_data" / PLOTLY))
        self._read: dict[str, tuple[int, asyncio.Future[File]]] = {}

    async def get(self, name: str) -> File:
        """Raises NotFound for what is not a file of the page."""
        path = self._plotly if name == PLOTLY else self._page / name
        if Path(name).name != name or path.suffix not in TYPES or not path.is_file():
            raise NotFound
        changed = path.stat().st_mtime_ns
        known, file = self._read.get(name, (0, None))
        if file is None or known != changed:
            file = asyncio.ensure_future(asyncio.to_thread(read, path))
            self._read[name] = (changed, file)
        return await asyncio.shield(file)


def read(path: Path) -> File:
    content = path.read_bytes()
    packed = gzip.compress(content, 6, mtime=0) if path.suffix in COMPRESSED else None
    return File(content, packed, TYPES[path.suffix], blake2b(content, digest_size=12).hexdigest())


def router(own: Files) -> APIRouter:
    """`/` and `/static/…`. The library is kept by browsers for a day; our own files are asked for again, mostly a 304."""
    routes = APIRouter(include_in_schema=False)

    @routes.api_route("/", methods=["GET", "HEAD"])
    async def page(request: Request) -> Response:
        return sent(request, await own.get("index.html"), "no-cache")

    @routes.api_route("/static/{name}", methods=["GET", "HEAD"])
    async def static(request: Request, name: str) -> Response:
        return sent(request, await own.get(name), f"public, max-age={DAY}" if name == PLOTLY else "no-cache")

    return routes


def sent(request: Request, file: File, keeping: str) -> Response:
    """The file, compressed where the browser takes it, or 304 where it has it."""
    packed = file.packed if gzip_accepted(request.headers.get("accept-encoding", "")) else None
    tag = f'"{file.tag}-gz"' if packed else f'"{file.tag}"'
    headers = SECURITY | {"Cache-Control": keeping, "ETag": tag, "Vary": "Accept-Encoding"}
    if matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(packed or file.content, headers=headers, media_type=file.kind)
