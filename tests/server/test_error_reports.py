"""Reports of unexpected errors: sent where the user said, never in local-only mode, nothing of a request in them."""

import asyncio
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import msgspec
import pytest

from app.errors import EngineError, SettingsError
from app.privacy.connections import ConnectionPolicy
from app.server.observing.parts import Observing
from app.server.observing.reports import Dsn, ErrorReports, envelope

from .scripted import ScriptedBackend, served, services_of

OPEN = ConnectionPolicy(local_only=False)
PROMPT = "a very private question"


class Receiver:
    """Keeps what is sent to it."""

    def __init__(self, status=200, headers=()):
        self.got = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append((self.path, dict(self.headers.items()), body))
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def dsn(self):
        return f"http://abc123@127.0.0.1:{self.server.server_port}/42"

    @property
    def events(self):
        return [json.loads(body.split(b"\n")[2]) for _path, _headers, body in self.got]


@contextmanager
def receiving(**how):
    receiver = Receiver(**how)
    thread = threading.Thread(target=receiver.server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        receiver.server.server_close()
        thread.join()


def raised(error=None):
    secret = PROMPT  # a local variable, as a report with variables would show it
    try:
        raise error or ValueError(secret)
    except (ValueError, EngineError) as found:
        return found


def reports_to(receiver):
    return ErrorReports.chosen(receiver.dsn, OPEN)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://abc@sentry.example/1", "https://sentry.example/api/1/envelope/"),
        ("https://abc@sentry.example:9000/in/here/12", "https://sentry.example:9000/in/here/api/12/envelope/"),
        ("http://abc@[::1]:9000/12/", "http://[::1]:9000/api/12/envelope/"),
    ],
)
def test_an_address_is_read(text, url):
    assert Dsn.parse(text) == Dsn(url, "abc")


@pytest.mark.parametrize(
    "text",
    ["x", "https://sentry.example/1", "ftp://abc@sentry.example/1", "https://abc@sentry.example/", "https://abc@/1",
     "https://a\r\nb@sentry.example/1", "https://abc@sentry.example/1?x=1", "https://abc@sentry.example:port/1"],
)  # fmt: skip
def test_what_is_no_address_is_refused_and_not_repeated(text):
    with pytest.raises(SettingsError) as refused:
        ErrorReports.chosen(text, OPEN)
    assert text not in str(refused.value) or text == "x"


async def test_a_report_is_an_envelope_that_names_places_and_nothing_of_the_request():
    with receiving() as receiver:
        reports = reports_to(receiver)
        reports.report(raised(), {"route": "/v1/messages", "status": "500"})
        await reports.aclose()
    ((path, headers, body),) = receiver.got
    assert path == "/api/42/envelope/"
    assert headers["x-sentry-auth"].startswith("Sentry sentry_version=7, sentry_client=playground/")
    assert "sentry_key=abc123" in headers["x-sentry-auth"]
    head, item, event, rest = body.split(b"\n")
    assert rest == b""
    assert json.loads(item)["length"] == len(event)
    told = json.loads(event)
    assert json.loads(head)["event_id"] == told["event_id"]
    assert told["tags"] == {"route": "/v1/messages", "status": "500"}
    (exception,) = told["exception"]["values"]
    assert exception["type"] == "ValueError"
    assert exception["stacktrace"]["frames"][-1]["function"] == "raised"
    assert PROMPT.encode() not in body
    assert set(exception["stacktrace"]["frames"][-1]) == {"filename", "function", "lineno", "in_app"}
    for unwanted in (b"vars", b"server_name", b"user", b"/home/", b"request"):
        assert unwanted not in event


def test_causes_come_along_without_their_words():
    error = raised()
    error.__cause__ = raised(EngineError(PROMPT))
    event = json.loads(envelope(error, {}, 0.0).split(b"\n")[2])
    assert [found["type"] for found in event["exception"]["values"]] == ["EngineError", "ValueError"]
    assert event["exception"]["values"][0]["value"] == "engine"
    assert PROMPT not in json.dumps(event)


async def test_never_in_local_only_mode():
    policy = ConnectionPolicy(local_only=True)
    with receiving() as receiver:
        reports = ErrorReports.chosen(receiver.dsn, policy)
        reports.report(raised(), {})
        assert reports._sender is None
        policy.local_only = False  # a person may change it while the server runs
        reports.report(raised(), {"route": "allowed"})
        await reports.aclose()
        reports.report(raised(), {})
        policy.local_only = True
        await reports.aclose()
    assert ErrorReports.chosen("", OPEN) is None
    assert [event["tags"] for event in receiver.events] == [{"route": "allowed"}]


async def test_a_flood_is_ten_a_minute():
    with receiving() as receiver:
        reports = reports_to(receiver)
        for _ in range(40):
            reports.report(raised(), {})
        await reports.aclose()
    assert len(receiver.got) == 10


async def test_a_receiver_that_wants_rest_gets_it():
    with receiving(status=429, headers=[("Retry-After", "100")]) as receiver:
        reports = reports_to(receiver)
        reports.report(raised(), {})
        await asyncio.wait({reports._sender})
        reports.report(raised(), {})
        await reports.aclose()
    assert len(receiver.got) == 1


async def test_a_redirect_is_not_followed():
    with receiving() as second, receiving(status=307, headers=[("Location", second.dsn)]) as first:
        reports = reports_to(first)
        reports.report(raised(), {})
        await reports.aclose()
    assert (len(first.got), second.got) == (1, [])


async def test_a_receiver_that_is_away_costs_nothing(caplog):
    reports = ErrorReports.chosen("http://abc@127.0.0.1:9/1", OPEN)
    reports.report(raised(), {})
    await reports.aclose()
    assert "was not reported: ConnectError" in caplog.text


async def test_the_server_reports_what_it_had_not_foreseen_and_answers_in_the_protocols_shape():
    class Broken(ScriptedBackend):
        async def stream(self, request):
            raise ValueError(PROMPT)
            yield

    with receiving() as receiver:
        services = services_of(Broken([]))
        chosen = msgspec.structs.replace(services.settings.observability, sentry_dsn=receiver.dsn, log_to="off")
        services = services.__class__(
            **{
                **vars(services),
                "settings": msgspec.structs.replace(services.settings, observability=chosen),
            }
        )
        observing = Observing.start(services, None, needs_vault=False)
        body = {"model": "scripted", "messages": [{"role": "user", "content": PROMPT}]}
        async with served(services, observing=observing) as address, httpx.AsyncClient(base_url=address) as http:
            failed = await http.post("/v1/chat/completions", json=body, headers={"x-api-key": "a-secret-of-mine"})
            refused = await http.post("/v1/chat/completions", json={})
        await observing.aclose()
    assert failed.status_code == 500
    assert failed.json()["error"]["type"] == "server_error"
    assert PROMPT not in failed.text
    assert refused.status_code == 400
    (event,) = receiver.events
    assert event["tags"] == {
        "route": "/v1/chat/completions",
        "method": "POST",
        "status": "500",
        "protocol": "openai",
    }
    assert event["exception"]["values"][-1]["type"] == "ValueError"
    assert any(
        frame["filename"] == "app/server/metering/answers.py"
        for frame in event["exception"]["values"][-1]["stacktrace"]["frames"]
    )
    text = json.dumps(event)
    assert PROMPT not in text
    assert "a-secret-of-mine" not in text
