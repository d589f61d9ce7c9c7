"""Spoken punctuation and commands: what is heard, what stands before the cursor, what becomes of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.voice.spoken import Edit, apply, interpret
from app.voice.spoken_phrases import LANGUAGES


def written(heard: str, before: str = "", language: str = "en") -> str:
    return apply(before, interpret(heard, before, language=language).edits)


@pytest.mark.parametrize(
    ("heard", "before", "after"),
    [
        ("hello comma world full stop", "", "Hello, world."),
        ("Hello, comma, world. Full stop. How are you, question mark?", "", "Hello, world. How are you?"),
        ("Are you there question mark.", "", "Are you there?"),
        ("And then I slept.", "I went home.", "I went home. And then I slept."),
        ("And then I slept.", "I went home", "I went home and then I slept."),
        ("London is large.", "I think that", "I think that London is large."),
        ("world", "Hello ", "Hello world"),
        ("world", "(", "(World"),
        ("New paragraph. The next day we left.", "Hi.", "Hi.\n\nThe next day we left."),
        ("New line. Foo", "done.\n", "done.\n\nFoo"),
        ("and then, new line, we left", "", "And then\nWe left"),
        ("Heading. My trip. New paragraph. We left.", "", "## My trip\n\nWe left."),
        ("Heading one, Travels. New paragraph. We left.", "Intro.", "Intro.\n\n# Travels\n\nWe left."),
        ("Bullet, apples. Bullet point, pears.", "Buy:", "Buy:\n- Apples.\n- Pears."),
        ("He said, open quote, I am here, close quote, and left.", "", 'He said, "I am here" and left.'),
        ("x open bracket see below close bracket and more", "", "X (see below) and more"),
        ("It is warm; semicolon; it rains", "", "It is warm; it rains"),
        ("Delete last word.", "one two", "one"),
        ("I like tea. Delete last word. The rain.", "", "I like the rain."),
    ],
)
def test_what_is_said_is_done(heard: str, before: str, after: str) -> None:
    assert written(heard, before) == after


@pytest.mark.parametrize(
    ("heard", "after"),
    [
        ("Write a literal comma here", "Write a comma here"),
        ("They fought a literal battle.", "They fought a literal battle."),
        ("Say literal new paragraph, please.", "Say new paragraph, please."),
        ("The oxford comma is nice", "The oxford comma is nice"),
        ("It came to a full stop.", "It came to a full stop."),
        ("A long period of time", "A long period of time"),
        ("He took the bullet out.", "He took the bullet out."),
        ("We are heading north.", "We are heading north."),
        ("I had to scratch that itch.", "I had to scratch that itch."),
        ("I will stop dictation tomorrow.", "I will stop dictation tomorrow."),
        ("It is a question mark of a man", "It is a question mark of a man"),
    ],
)
def test_words_that_are_words_stay(heard: str, after: str) -> None:
    found = interpret(heard, "")
    assert apply("", found.edits) == after
    assert not found.stop


def test_scratch_that_takes_back_one_utterance_after_the_other() -> None:
    text, phrases = "Mine.", ()
    for heard in ("First thing.", "Second thing."):
        found = interpret(heard, text, phrases)
        text, phrases = apply(text, found.edits), found.phrases
    assert text == "Mine. First thing. Second thing."
    for expected in ("Mine. First thing.", "Mine.", "Mine."):
        found = interpret("Scratch that.", text, phrases)
        text, phrases = apply(text, found.edits), found.phrases
        assert text == expected


def test_scratch_that_within_an_utterance() -> None:
    assert written("Hello there. Scratch that. Goodbye.", "x ") == "x Goodbye."


def test_scratch_that_leaves_alone_what_was_written_at_another_place() -> None:
    first = interpret("Hello.", "")
    assert interpret("Scratch that.", "somebody typed on", first.phrases).edits == ()


def test_a_mark_replaces_the_full_stop_that_the_model_set_but_not_a_persons() -> None:
    first = interpret("I went home.", "")
    text = apply("", first.edits)
    assert apply(text, interpret("Comma and slept", text, first.phrases).edits) == "I went home, and slept"
    assert written("question mark", "Typed by hand.") == "Typed by hand.?"


def test_the_end_is_told_and_what_was_said_before_is_written() -> None:
    found = interpret("That is all. Stop dictation.", "")
    assert found.stop
    assert apply("", found.edits) == "That is all."


def test_german() -> None:
    assert written("Guten Tag Komma Welt Ausrufezeichen", language="de") == "Guten Tag, Welt!"
    assert written("Das ist der Punkt hier.", language="de") == "Das ist der Punkt hier."
    assert written("Ende. Neuer Absatz. Weiter.", language="de") == "Ende.\n\nWeiter."


def test_a_language_without_a_table_is_written_as_it_is_heard() -> None:
    assert written("virgule full stop", language="fr") == "Virgule full stop"


def test_control_characters_do_not_reach_the_text() -> None:
    assert written("a\x1b]52;c;x\x07b\u202ec") == "A]52;c;x b c"


spoken = st.lists(
    st.one_of(
        st.sampled_from([" ".join(phrase.words) for table in LANGUAGES.values() for phrase in table.phrases]),
        st.sampled_from(["literal", "the", "I", "went", "home.", "Scratch that.", "Delete last word.", "and,", "?"]),
        st.text(max_size=6),
    ),
    max_size=14,
).map(" ".join)


@given(spoken, st.text(max_size=30), st.lists(st.text(max_size=8), max_size=3), st.sampled_from(["en", "de", "fr"]))
def test_whatever_is_said_the_edits_fit_the_text(heard: str, before: str, phrases: list[str], language: str) -> None:
    found = interpret(heard, before, phrases, language)
    text = before
    for edit in found.edits:
        assert 0 <= edit.delete <= len(text)
        text = apply(text, [edit])
    assert found.edits != (Edit(0, ""),)
    assert all(character.isprintable() or character == "\n" for edit in found.edits for character in edit.insert if
               character not in before)  # fmt: skip


@given(st.lists(st.sampled_from(["we", "along", "until", "it", "was", "dark", "i", "london", "two"]), max_size=12))
def test_plain_words_are_all_written_in_their_order(said: list[str]) -> None:
    text = written(" ".join(said), "Before.")
    assert re.findall(r"[a-z]+", text.lower()) == ["before", *said]


@given(spoken, spoken)
def test_scratching_an_utterance_leaves_the_text_as_it_was(heard: str, before: str) -> None:
    found = interpret(heard, before)
    after = apply(before, found.edits)
    if found.edits and not found.edits[0].delete and len(found.phrases) == 1:
        again = interpret("scratch that", after, found.phrases)
        assert apply(after, again.edits) == before
