"""Secrets out of what is written down."""

import base64
import json
import logging
import traceback
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import RemoteRefusedError
from app.privacy.masking import MASK, Masker, MaskingFilter


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("key sk-proj-abcdefghijklmnop1234 refused", "sk-proj-abcdefghijklmnop1234"),
        ("sk-ant-api03-AAAAbbbbCCCC_dddd-eeee", "AAAAbbbbCCCC"),
        ("token ghp_abcdefghijklmnopqrstuvwxyz0123456789", "ghp_abcdefgh"),
        ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN7"),
        ("AIzaSyA1234567890abcdefghijklmnopqrstuvw", "SyA123456"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "eyJzdWIi"),
        ("Authorization: Bearer abc.def-123456789", "abc.def-123456789"),
        ('{"api_key": "0123456789"}', "0123456789"),
        (r"{\"api_key\": \"0123456789\"}", "0123456789"),
        ("https://user:hunter22@host/x", "hunter22"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----", "MIIabc"),
        ("OPENAI_API_KEY=whatever-it-is", "whatever-it-is"),
        ("hf_abcdefghijklmnopqrst", "abcdefghij"),
    ],
)
def test_what_is_shaped_like_a_secret_is_masked(text, secret):
    masked = Masker().text(text)
    assert secret not in masked and MASK in masked


@pytest.mark.parametrize(
    "text",
    [
        "The lighthouse stood alone.",
        "def token(self): return 1",
        "https://host.example/path?x=1",
        "sk-8 is a bus",
        "",
        "hf-internal-testing/tiny",
        "sk-learn-pipeline-with-many-steps",
        "bearer certificates",
        "a basic understanding",
        "npm_config",
        "pg_stat_activity",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        "completion tokens: 12",
    ],
)
def test_ordinary_words_stay(text):
    assert Masker().text(text) == text


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=8, max_size=40), st.text(), st.text()
)
def test_a_known_secret_is_found_in_every_form(secret, before, after):
    masker = Masker([secret])
    for form in (secret, quote(secret, safe=""), json.dumps(secret, ensure_ascii=False)[1:-1]):
        assert form not in masker.text(before + form + after) or form in MASK


def test_a_known_secret_is_found_within_base64():
    masker = Masker(["correct-horse-battery"])
    for user in ("u", "us", "use", "user"):
        coded = base64.b64encode(f"{user}:correct-horse-battery".encode()).decode()
        assert "b3JyZWN0" not in masker.text(coded).replace("=", "") or MASK in masker.text(coded)
        assert MASK in masker.text(f"x {coded} y")


def test_the_environment_says_which_of_it_are_secrets():
    masker = Masker.of_environment(
        {
            "MY_TOKEN": "first-one",
            "PLAYGROUND_API_KEYS": "second-one,third-one",
            "REDIS_URL": "redis://:fourth-one@host/0",
            "EDITOR": "not-a-secret",
            "PWD_KEY": "abc",
        }
    )
    text = masker.text("first-one second-one third-one fourth-one not-a-secret abc")
    assert text == f"{MASK} {MASK} {MASK} {MASK} not-a-secret abc"
    assert "one" not in repr(masker)


def test_an_error_and_what_led_to_it_lose_their_secrets():
    masker = Masker(["planted-secret"])
    try:
        try:
            raise ValueError("first planted-secret")
        except ValueError as error:
            raise RemoteRefusedError("It said planted-secret.", "Use planted-secret.") from error
    except RemoteRefusedError as error:
        masker.error(error)
        assert "planted" not in f"{error} {error!r} {error.__cause__!r}"


def test_notes_contexts_and_groups_of_an_error_lose_their_secrets():
    masker = Masker(["planted-secret"])
    hidden = KeyError({"header": "planted-secret"})
    told = OSError(5, "no planted-secret", "/planted-secret")
    told.__context__ = hidden
    error = RemoteRefusedError("It failed.")
    error.add_note("sent planted-secret")
    error.hint = "planted-secret"
    error.__cause__, error.__context__ = ValueError(b"planted-secret"), told
    hidden.__context__ = error  # a ring, as careless code makes one
    group = ExceptionGroup("several", [error])
    before = [*traceback.format_exception(error), str(hidden), str(told), error.hint]
    assert sum("planted-secret" in line for line in before) == 5
    masker.error(group)
    told_after = "".join(traceback.format_exception(group)) + repr((error, told, hidden, error.__cause__, vars(error)))
    assert "planted" not in told_after + str(told) and MASK in str(told)
    assert (told.errno, error.message) == (5, "It failed.")


def test_a_log_handler_masks_messages_arguments_and_tracebacks(caplog):
    masker = Masker(["planted-secret"])
    caplog.handler.addFilter(MaskingFilter(masker))
    log = logging.getLogger("somebody.else")
    with caplog.at_level(logging.DEBUG):
        log.debug("sent %s", {"x-key": "planted-secret"})
        try:
            raise ValueError("planted-secret")
        except ValueError:
            log.exception("it failed with planted-secret")
    assert "planted-secret" not in caplog.text and caplog.text.count(MASK) >= 3
