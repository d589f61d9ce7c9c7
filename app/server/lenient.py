"""Bodies without a content type: what people send with ``curl -d``, which Ollama and llama.cpp take for JSON."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from .strict_json import JsonRequest


class JsonWhateverItSays(APIRoute):
    """A route whose body is JSON, whatever its head says."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, which is told that the body is JSON."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            kept = [(name, value) for name, value in request.scope["headers"] if name != b"content-type"]
            scope = {**request.scope, "headers": [*kept, (b"content-type", b"application/json")]}
            return await handle(JsonRequest(scope, request.receive))

        return handled
