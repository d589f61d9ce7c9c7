"""The server's log: a line an event, safe to print and to read by programs, and nothing private in it."""

import io
import json
import logging
import stat
import time

import httpx
import pytest

from app.errors import SettingsError
from app.privacy.masking import Masker
from app.server.observing.logs import FILE, AccessLine, ServerLog
from app.settings.observability import ObservabilitySettings

from .whole import KEY, MODEL, whole_server

PROMPT = "a very private question"
SECRETS = (
    "Bearer abcdefghijklmnop12345",
    "pg-0123456789abcdefghijABCDEFGHIJ0123456789abc",
    "sk-proj-0123456789abcdefghij",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl",
    "password=hunter2hunter2",
    "redis://user:hunter2hunter2@redis:6379",
    "known-to-the-environment",
)


class Written:
    """What a log wrote."""

    def __init__(self, tmp_path, **chosen):
        self.stream = io.StringIO()
        masker = Masker.of_environment({"SOME_API_KEY": "known-to-the-environment"})
        self.log = ServerLog(ObservabilitySettings(**chosen), tmp_path, masker, self.stream)
        self.logger = logging.getLogger("app.some.part")

    def __enter__(self):
        self.log.start()
        return self

    def __exit__(self, *_):
        self.log.close()

    @property
    def text(self):
        self.log.close()
        return self.stream.getvalue()

    @property
    def lines(self):
        return self.text.splitlines()


@pytest.mark.parametrize("shape", ["pretty", "json"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x85", "\u2028", "\x1b[2J", "\x00"])
def test_a_forged_line_is_no_line(tmp_path, shape, end):
    with Written(tmp_path, log_format=shape) as written:
        written.logger.info("refused %s", f"a{end}2026-01-01 forged")
        line = AccessLine("req_1", "GET", f"/x{end}forged", 200, "plain", 0.1, model=f"m{end}", key=f"k{end}")
        written.log.access(line)
    assert len(written.text.split("\n")) == 3
    assert all(character.isprintable() for line in written.text.split("\n") for character in line)


@pytest.mark.parametrize("shape", ["pretty", "json"])
@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_masked(tmp_path, shape, secret):
    with Written(tmp_path, log_format=shape) as written:
        written.logger.warning("it said: %s", secret)
    assert secret not in written.text
    assert "hunter2" not in written.text
    assert "•••" in written.text


def test_json_lines_are_objects(tmp_path):
    with Written(tmp_path, log_format="json") as written:
        written.log.access(AccessLine("req_1", "POST", "/v1/messages", 200, "anthropic", 0.5, model="m"))
        written.logger.warning("careful")
    access, warning = map(json.loads, written.lines)
    assert access["access"] == {
        "request": "req_1",
        "method": "POST",
        "route": "/v1/messages",
        "status": 200,
        "protocol": "anthropic",
        "seconds": 0.5,
        "model": "m",
    }
    assert (warning["level"], warning["logger"], warning["message"]) == ("warning", "app.some.part", "careful")
    assert "access" not in warning


@pytest.mark.parametrize("shape", ["pretty", "json"])
@pytest.mark.parametrize(("level", "shown"), [("info", False), ("debug", True)])
def test_an_unexpected_error_names_its_place_but_not_what_was_asked(tmp_path, shape, level, shown):
    with Written(tmp_path, log_format=shape, log_level=level) as written:
        try:
            raise ValueError(PROMPT)
        except ValueError:
            written.logger.exception("it failed")
    assert "ValueError" in written.text
    assert "test_logs.py:" in written.text
    assert (PROMPT in written.text) is shown
    assert str(tmp_path) not in written.text


def test_what_is_less_important_is_left_out(tmp_path):
    with Written(tmp_path, log_level="warning") as written:
        written.logger.info("no")
        written.logger.warning("yes")
        assert not written.log.wants_access
    assert len(written.lines) == 1


def test_a_reader_who_does_not_read_holds_nobody_up(tmp_path):
    class Stuck(io.StringIO):
        def write(self, text):
            time.sleep(0.2)
            return super().write(text)

    log = ServerLog(ObservabilitySettings(), tmp_path, Masker(), Stuck())
    log.start()
    began = time.perf_counter()
    for _ in range(5):
        logging.getLogger("app.x").info("a line")
    assert time.perf_counter() - began < 0.5  # the reader takes a second
    log.close()


def test_the_file_is_its_owners_alone_and_of_bounded_size(tmp_path, monkeypatch):
    monkeypatch.setattr("app.server.observing.logs._FILE_BYTES", 2000)
    log = ServerLog(ObservabilitySettings(log_to="file"), tmp_path / "logs", Masker())
    log.start()
    for number in range(300):
        logging.getLogger("app.x").info("line %d of many that fill the file", number)
    log.close()
    files = sorted((tmp_path / "logs").iterdir())
    assert [file.name for file in files] == [FILE, *(f"{FILE}.{number}" for number in range(1, 5))]
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.stat().st_size < 2100


def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"):
        ServerLog(ObservabilitySettings(log_to="file"), tmp_path / "file", Masker())


def test_the_end_gives_the_lines_back(tmp_path):
    logger = logging.getLogger("app")
    before = (list(logger.handlers), logger.level, logger.propagate)
    with Written(tmp_path) as written:
        assert not logger.propagate
    written.log.close()
    assert (list(logger.handlers), logger.level, logger.propagate) == before


def test_every_request_gets_a_line_without_prompt_or_key(tmp_path):
    chosen = ObservabilitySettings(log_to="file", log_format="json")
    body = {"model": MODEL, "messages": [{"role": "user", "content": PROMPT}]}
    with (
        whole_server(tmp_path, gated=True, observability=chosen, steps=("a private answer",)) as running,
        httpx.Client(base_url=running.address) as http,
    ):
        told = http.post("/v1/chat/completions", json=body, headers={"authorization": f"Bearer {KEY}"})
        http.post("/v1/chat/completions?api_key=0123456789abcdef0123", json=body)
        http.get(f"/sessions/{PROMPT}", headers={"authorization": f"Bearer {KEY}"})
        http.get("/v1/models/a%0d%0aFORGED", headers={"x-api-key": KEY})
    text = (tmp_path / "logs" / FILE).read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    access = [line["access"] for line in lines if "access" in line]
    assert [line["status"] for line in access] == [200, 401, 403, 400]
    first = access[0]
    assert first["request"] == told.headers["x-request-id"]
    assert (first["model"], first["prompt_tokens"], first["completion_tokens"]) == (MODEL, 9, 2)
    assert (first["key"], first["address"]) == ("fixed:1", "127.0.0.1")
    assert 0 < first["first_token_s"] <= first["seconds"]
    assert access[1]["error"] == "invalid_api_key"
    for private in (KEY, "a private answer", "0123456789abcdef0123"):
        assert private not in text
    assert PROMPT not in "".join(json.dumps(line) for line in access)
