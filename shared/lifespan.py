"""Log why a service fails to start or to stop. uvicorn logs a traceback as text, and messages of errors quote values."""

from collections.abc import Awaitable

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()


class LifespanErrors:
    """ASGI middleware, the outermost: logs an error of the application's lifespan as one line with its places and types."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass requests on as they are."""
        return self._logged(scope, receive, send) if scope["type"] == "lifespan" else self._app(scope, receive, send)

    async def _logged(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_without_text(message: Message) -> None:
            await send({"type": message["type"]})

        try:
            await self._app(scope, receive, send_without_text)
        except Exception as error:
            log.critical("service.failed", error=type(error).__name__, exc_info=error)
            raise
