"""The web application: every protocol's routes over the same services."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app import __version__
from app.errors import EngineError, InvalidRequestError, PlaygroundError

from . import extras, session_routes, sockets
from .anthropic import messages as anthropic
from .description import describe
from .docs import routes as docs
from .error_shapes import protocol_of, shape, status_of
from .llamacpp import routes as llamacpp
from .observing import routes as observing_routes
from .observing.exchange import note_error
from .observing.parts import Observing
from .ollama import answering as ollama
from .ollama import listing as ollama_listing
from .openai import audio, chat, completions, embeddings, errors, responses
from .openai import models as openai_models
from .openai.invalid import refusal_of
from .passing.passing import Passing
from .services import Services
from .streaming import CLIENT_GONE, ClientGoneError

GateFactory = Callable[[ASGIApp], ASGIApp]
"""Wraps the application in what guards it: ``GateParts.around``."""

_ROUTES: tuple[Callable[[Services], APIRouter], ...] = (
    chat.routes,
    completions.routes,
    responses.routes,
    embeddings.routes,
    audio.routes,
    openai_models.routes,
    anthropic.routes,
    ollama.routes,
    ollama_listing.routes,
    sockets.routes,
    extras.routes,  # before llama.cpp's, where a model's name may stand at /models/
    llamacpp.routes,
    session_routes.routes,
)


class _Application(FastAPI):
    """The routes, with what stands before them: reached first, without the framework's own layers in between."""

    front: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        await (self.front or self.routed)(scope, receive, send)

    async def routed(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What passed all that stands before the routes."""
        await super().__call__(scope, receive, send)


def build(services: Services, *, gate: GateFactory | None = None, observing: Observing | None = None) -> FastAPI:
    """The application.

    Args:
        services: what answers.
        gate: what stands before every route; ``None`` lets everybody in.
        observing: what watches; ``None`` counts, and tells nobody but who asks.
    """
    app = _Application(
        title="Playground",
        version=__version__,
        description="Models on your own machine, for programs written for OpenAI, Anthropic, Ollama and llama.cpp.",
        docs_url=None,
        redoc_url=None,
        # Traces and metrics of a web framework are nothing that may leave a private machine by a variable's leave.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    watched = observing or Observing.silent(services)
    for routes in _ROUTES:
        app.include_router(routes(services))
    app.include_router(observing_routes.routes(services, watched))
    app.include_router(docs())
    describe(app, with_accounts=gate is not None)
    _answer_errors(app)
    # Behind the gate: what passes through as it came is admitted, limited and counted as everything is.
    front: ASGIApp = Passing(app.routed, services)
    if gate is not None:
        front = gate(front)
    app.front = watched.around(front, _crashed)
    return app


def _answer_errors(app: FastAPI) -> None:
    """Every error in the shape of the protocol that was asked."""

    @app.exception_handler(PlaygroundError)
    async def ours(request: Request, error: PlaygroundError) -> Response:
        return told(request, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return told(request, refusal_of(error.errors()))

    @app.exception_handler(HTTPException)
    async def unrouted(request: Request, error: HTTPException) -> Response:
        path = request.scope["path"]
        words = {
            404: f"Nothing is at {request.method} {path[:200]}.",
            405: f"{request.method} is not understood at {path[:200]}.",
        }
        refusal = InvalidRequestError(words.get(error.status_code, str(error.detail)))
        note_error(request.scope, refusal, error.status_code)
        body, headers = shape(path, refusal, error.status_code)
        return Response(body, error.status_code, {**(error.headers or {}), **headers})

    @app.exception_handler(ClientGoneError)
    async def gone(request: Request, error: ClientGoneError) -> Response:
        return Response(status_code=CLIENT_GONE)

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> Response:
        # It is raised on after this, so that it is logged and reported.
        return _crashed(request.scope["path"])


def _crashed(path: str) -> Response:
    return answer(path, EngineError("The server failed at this.", "Its log says where."))


def told(request: Request, error: PlaygroundError) -> Response:
    """``answer``, and a note of it."""
    note_error(request.scope, error, status_of(error, request.scope["path"]))
    return answer(request.scope["path"], error)


def answer(path: str, error: PlaygroundError) -> Response:
    """``error`` as an HTTP answer to who asked at ``path``."""
    if protocol_of(path) == "openai":
        return errors.answer(error)
    body, headers = shape(path, error)
    return Response(body, status_of(error, path), headers)
