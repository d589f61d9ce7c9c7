"""What providers say of their failures, and what becomes of answers that are too much."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.backends import answering
from app.backends.refusals import clean, failure, refusal, retry_after
from app.errors import (
    RemoteBusyError,
    RemoteError,
    RemoteRefusedError,
    RemoteTimeoutError,
)

from .provider import Answer, provider
from .reaching import all_of, asking, reaching

NOW = 1_750_000_000.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": format_datetime(datetime.fromtimestamp(NOW + 30, UTC), usegmt=True)}, 30.0),
        ({"retry-after": format_datetime(datetime.fromtimestamp(NOW - 30, UTC), usegmt=True)}, 0.0),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "99999999"}, 86_400.0),
        ({"retry-after": "whenever"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@given(st.text(max_size=40))
def test_any_wait_is_a_number_or_none(text: str) -> None:
    found = retry_after({"retry-after": text, "retry-after-ms": text[::-1]}, NOW)
    assert found is None or 0 <= found <= 86_400


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (400, {"error": {"message": "bad", "type": "invalid_request_error"}}, RemoteRefusedError, "bad"),
        (400, {"type": "error", "error": {"type": "x", "message": "bad"}}, RemoteRefusedError, "bad"),
        (404, {"error": "model 'x' not found"}, RemoteRefusedError, "model 'x' not found"),
        (422, {"detail": "no"}, RemoteRefusedError, "no"),
        (429, [{"error": {"code": 429, "message": "quota", "status": "RESOURCE"}}], RemoteBusyError, "quota"),
        (429, {"error": {"message": "pay", "code": "insufficient_quota"}}, RemoteRefusedError, "pay"),
        (500, "oops", RemoteError, "oops"),
        (504, None, RemoteTimeoutError, ""),
    ],
)
def test_words_of_each_provider(status: int, body: Any, error: type[RemoteError], words: str) -> None:
    found = refusal("there", status, {}, json.dumps(body).encode(), now=NOW)
    assert type(found) is error
    assert found.message == (f"there answered {status}: {words}" if words else f"there answered {status}.")


@pytest.mark.parametrize(
    "body",
    [
        {
            "error": {
                "message": "This model's maximum context length is 8192 tokens.",
                "code": "context_length_exceeded",
            }
        },
        {"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 9 > 8"}},
        {"error": "the input length exceeds the context length"},
    ],
)
def test_what_is_too_long_says_what_to_do(body: Any) -> None:
    assert "longer context" in refusal("there", 400, {}, json.dumps(body).encode()).remedy


def test_pages_and_bytes_are_not_shown() -> None:
    assert refusal("there", 502, {"content-type": "text/html"}, b"<html>x").message == "there answered 502."
    assert refusal("there", 500, {}, b"\xff\x00\x1b[2J gone").message == "there answered 500: \ufffd [2J gone"
    assert len(clean("\u202e" + "x" * 10_000)) == 500


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda i: (
            st.lists(i, max_size=2)
            | st.dictionaries(st.sampled_from(["error", "message", "type", "code", "detail"]), i, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_any_failure_is_one_of_the_family(said: Any) -> None:
    assert isinstance(failure("there", said), RemoteError)
    assert isinstance(refusal("there", 400, {}, json.dumps(said).encode()), RemoteError)


async def test_a_whole_answer_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "MOST_WHOLE", 100_000)
    async with provider(Answer(body=b" " * 200_000)) as there, reaching(there) as backend:
        with pytest.raises(RemoteError, match="longer than 100,000 bytes"):
            await all_of(backend.stream(asking()))


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("kind", ["text/event-stream", "application/json"])
async def test_a_little_that_unpacks_to_very_much(status: int, kind: str) -> None:
    packed = gzip.compress(b"x" * 200_000_000, 9)
    headers = {"content-encoding": "gzip", "content-type": kind}
    async with provider(Answer(status=status, body=packed, headers=headers)) as there, reaching(there) as backend:
        with pytest.raises(RemoteError):
            await all_of(backend.stream(asking()))
