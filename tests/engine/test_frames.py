"""Frames: what goes through the pipe to a worker."""

from __future__ import annotations

import pytest

from app.engine import frames
from app.engine.commands import Generate
from app.errors import InvalidRequestError
from app.messages import ChatRequest, Message, Sampling


def test_a_number_that_does_not_go_through_is_the_request_s_fault() -> None:
    request = ChatRequest(model="m", messages=(Message.user("Hello"),), sampling=Sampling(max_tokens=10**20))
    with pytest.raises(InvalidRequestError, match="too large"):
        frames.encode(Generate(1, request))
