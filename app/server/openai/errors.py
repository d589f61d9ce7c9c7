"""Errors as OpenAI's clients expect them."""

from __future__ import annotations

import msgspec
from msgspec import Struct
from starlette.responses import Response

from app.errors import InvalidRequestError, PlaygroundError
from app.server.error_shapes import shape, status_of

_PATH = "/v1/"
"""Any path of OpenAI's: it chooses the shape."""


class RefusedError(InvalidRequestError):
    """A request that OpenAI's API would refuse in the same way.

    Args:
        message: as OpenAI words it.
        param: the parameter that is wrong.
        openai_code: OpenAI's own code for it.
        status: of the HTTP answer.
    """

    def __init__(
        self, message: str, param: str | None = None, openai_code: str | None = None, *, status: int = 400
    ) -> None:
        super().__init__(message)
        self.param, self.openai_code, self.status = param, openai_code, status


class _Body(Struct):
    message: str
    type: str
    param: str | None
    code: str | None


class _Envelope(Struct):
    error: _Body


def answer(error: PlaygroundError) -> Response:
    """``error`` as an HTTP answer."""
    if isinstance(error, RefusedError):
        return Response(_refused(error), error.status, media_type="application/json")
    body, headers = shape(_PATH, error)
    return Response(body, status_of(error), headers)


def event(error: PlaygroundError) -> bytes:
    """``error`` as an event in the middle of a stream."""
    body = _refused(error) if isinstance(error, RefusedError) else shape(_PATH, error)[0]
    return b"data: " + body + b"\n\n"


def _refused(error: RefusedError) -> bytes:
    return msgspec.json.encode(_Envelope(_Body(str(error), "invalid_request_error", error.param, error.openai_code)))
