"""Errors that cross a process or a wire come out as they went in."""

from __future__ import annotations

import msgspec
import pytest

from app.engine.frames import Failed
from app.engine.process.inbox import error_of
from app.errors import InvalidRequestError, PlaygroundError, error_codes
from app.server.error_shapes import shape
from app.server.openai.errors import RefusedError

REMEDY = "Name a root rule."


def every_class() -> list[type[PlaygroundError]]:
    found: list[type[PlaygroundError]] = [PlaygroundError]
    for cls in found:
        found.extend(cls.__subclasses__())
    return found


def test_a_code_stands_for_the_class_that_gave_it():
    given = [cls.code for cls in every_class() if "code" in vars(cls)]
    assert len(given) == len(set(given)), "two classes give the same code"
    assert RefusedError.code == InvalidRequestError.code
    assert error_codes()["invalid_request"] is InvalidRequestError


def test_every_error_is_made_again_from_its_code_its_message_and_its_remedy():
    for code, cls in error_codes().items():
        made = cls("What.", "Do.")
        assert (made.code, made.message, made.remedy) == (code, "What.", "Do.")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/api/chat", "/completion", "/generate"])
def test_a_remedy_of_the_engine_reaches_every_protocols_clients(path):
    error = error_of(Failed(1, "invalid_request", "The grammar cannot be understood.", REMEDY))
    body = msgspec.json.decode(shape(path, error)[0])
    told = body["error"]
    if path == "/generate":
        assert (told["message"], told["remedy"]) == (error.message, REMEDY)
    else:
        said = told if isinstance(told, str) else told["message"]
        assert said == f"The grammar cannot be understood. {REMEDY}"
    if path == "/v1/chat/completions":
        assert told["param"] is None
