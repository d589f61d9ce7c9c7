"""What each detector finds and leaves, and what happens when two find the same or one fails."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.errors import RedactionError, SettingsError
from app.privacy.redaction import Redactor, Span
from app.privacy.redaction.spans import settled


def found(text: str, *kinds: str) -> list[str]:
    memory = Redactor.chosen(kinds).memory([text])
    memory.redact(text)
    return list(memory.placeholders.values)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("email", "mail jane.doe+x@mail.example.co.uk, now", "jane.doe+x@mail.example.co.uk"),
        ("email", "an jürgen@müller-beispiel.de.", "jürgen@müller-beispiel.de"),
        ("phone", "call +49 30 901820 12 today", "+49 30 901820 12"),
        ("phone", "(212) 555-0123", "(212) 555-0123"),
        ("phone", "Phone: 020 7946 0958.", "020 7946 0958"),
        ("card", "4111 1111 1111 1111 12/27 123", "4111 1111 1111 1111"),
        ("card", "3782-822463-10005", "3782-822463-10005"),
        ("iban", "DE89 3704 0044 0532 0130 00 AND more", "DE89 3704 0044 0532 0130 00"),
        ("iban", "GB82WEST12345698765432", "GB82WEST12345698765432"),
        ("id", "SSN 536-90-4399.", "536-90-4399"),
        ("id", "RCCMNL83S18D969H", "RCCMNL83S18D969H"),
        ("id", "DNI 54362315K", "54362315K"),
        ("id", "NHS number 943 476 5919", "943 476 5919"),
        ("ip", "from 203.0.113.9:8080", "203.0.113.9"),
        ("ip", "[2001:db8::ff00:42:8329]", "2001:db8::ff00:42:8329"),
        ("key", "https://bob:s3cr3tpw@db.example.org/", "s3cr3tpw"),
        ("key", 'password = "hunter2!"', "hunter2!"),
        ("key", "Password: correct-Horse-battery", "correct-Horse-battery"),
        ("key", "password: summer24", "summer24"),
        ("key", "my password is Tr0ub4dor&3.", "Tr0ub4dor&3"),
        ("id", "BSN 111222333", "111222333"),
        ("id", "My SIN is 123 456 782.", "123 456 782"),
    ],
)
def test_is_found_whole(kind, text, value):
    assert found(text, kind) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",
        "DE89 3704 0044 0532 0130 01",
        "version 1.2.3.4",
        "12:34:56",
        "127.0.0.1 and ::1",
        "550e8400-e29b-41d4-a716-446655440000",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "git@github.com:org/repo.git",
        "logo@2x.png",
        "1700000000000",
        "the token is a piece of a word",
        "key=value",
        "password = get_password(realm)",
        "self.pwd_env_var = pwd_env_var",
        "data[2::4] and rows[1::2]",
        "versions after 1.11.1.1",
        '"id": "194521489"',
        "sin=304193536",
        "oauth2_redirect_url=oauth2_redirect_url, sec_key = base64.b64encode(x)",
        "postgres://user:pass@localhost/x",
    ],
)
def test_is_left(text):
    assert found(text) == []


def test_overlaps_become_one_piece_under_the_longest_kind():
    assert settled([Span(0, 10, "phone"), Span(8, 20, "card")]) == [Span(0, 20, "card")]
    assert settled([Span(0, 10, "phone"), Span(0, 10, "card")]) == [Span(0, 10, "card")]
    assert settled([Span(0, 30, "email"), Span(5, 9, "key")]) == [Span(0, 30, "email")]
    assert settled([Span(5, 9, "key"), Span(0, 3, "ip"), Span(3, 5, "id")]) == [
        Span(0, 3, "ip"),
        Span(3, 5, "id"),
        Span(5, 9, "key"),
    ]


BESIDE = st.sampled_from(
    ["a@b.org", "192.168.3.4", "001::", "+49 30 901820", "[", "]", "(", ")", "\\", "_", " ", "x", "`"]
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(BESIDE, max_size=12).map("".join)))
@example("\\0@0.A0")
@example("a@b.org(home) a@b.org((")
def test_any_text_comes_back_as_it_was(text):
    memory = Redactor.chosen().memory([text])
    redacted = memory.redact(text)
    assert memory.placeholders.restored(redacted) == text


def test_a_detector_that_fails_lets_nothing_out_and_tells_nothing():
    class Failing:
        kinds = frozenset(("email",))

        def find(self, text):
            raise ValueError(text)

    with pytest.raises(RedactionError) as raised:
        Redactor([Failing()]).memory([]).redact("the secret text")
    assert "secret text" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_patterns_of_the_user_are_kinds():
    redactor = Redactor.chosen((), {"project": r"PRJ-\d+", "name": "(?i)bartholomew"})
    memory = redactor.memory([])
    assert memory.redact("PRJ-12 of Bartholomew").count("[PROJECT_1_") == 1
    assert memory.placeholders.values == ("PRJ-12", "Bartholomew")


@pytest.mark.parametrize("patterns", [{"x": "(?=a)"}, {"x": "a*"}, {"email": "a"}, {"1": "a"}, {"x": "("}])
def test_a_pattern_that_cannot_be_used_is_refused_by_name(patterns):
    with pytest.raises(SettingsError, match=next(iter(patterns))):
        Redactor.chosen((), patterns)


def test_a_kind_that_is_not_known_is_refused():
    with pytest.raises(SettingsError, match="e-mail"):
        Redactor.chosen(("e-mail",))


def test_a_pattern_cannot_make_it_slow():
    redactor = Redactor.chosen(("slow",), {"slow": "(a|a)*b|(a+)+c"})
    began = time.process_time()
    redactor.memory([]).redact("a" * 100_000)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "text",
    [
        "1" * 50_000,
        "1 " * 50_000,
        "a@" * 50_000,
        "0:" * 50_000,
        "password: " * 10_000,
        "eyJ" * 40_000,
        "://:" * 30_000,
        "sk-" * 40_000,
        " eyJ-" * 20_000,
        "a.b@c." * 20_000,
        "AB12" * 30_000,
        "+1(2)" * 20_000,
        "-----BEGIN PRIVATE KEY-----" * 3_000,
        ("token: " + "aa1a_" * 90 + "!9 password: " + "aa_" * 150 + "! ") * 20,
    ],
)
def test_no_text_makes_it_slow(text):
    redactor = Redactor.chosen()
    redactor.memory([]).redact(text[:1000])
    began = time.process_time()
    redactor.memory([]).redact(text)
    assert time.process_time() - began < 2


def test_one_value_has_one_placeholder_in_a_conversation_and_another_in_the_next():
    redactor = Redactor.chosen()
    first, again = redactor.memory(["hello"]), redactor.memory(["hello", "a@b.example.org"])
    other = redactor.memory(["goodbye"])
    said = "jane@example.org and jane@example.org"
    assert first.redact(said) == again.redact(said)
    assert first.redact(said) != other.redact(said)
    assert Redactor.chosen().memory(["hello"]).redact(said) != first.redact(said)


def test_a_placeholder_in_the_persons_own_words_is_not_taken_for_ours():
    redactor = Redactor.chosen()
    ours = redactor.memory(["hello"]).redact("jane@example.org")
    memory = redactor.memory(["hello", f"I wrote {ours.lower()} myself"])
    redacted = memory.redact(f"jane@example.org is not {ours}")
    assert redacted.count(ours) == 1
    assert memory.placeholders.restored(redacted) == f"jane@example.org is not {ours}"


def test_an_ordinary_page_takes_no_time_worth_noticing():
    """4,096 characters with four values in them: below a millisecond alone, and far below this on a busy machine."""
    prose = "The quick brown fox, in 2024, jumped over 12 lazy dogs (see 3.14) and went home before anyone spoke. " * 60
    page = f"jane@example.org, +49 30 901820, 4111 1111 1111 1111, DE89 3704 0044 0532 0130 00. {prose}"[:4092]
    redactor, best = Redactor.chosen(), 1.0
    for number in range(20):
        began = time.process_time()
        redactor.memory([]).redact(f"{page}{number:04}")
        best = min(best, time.process_time() - began)
    assert best < 0.004
