"""Prompts in Markdown files: read, written, and refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.chat.prompt_library.prompt_files import MOST_BYTES, file_of, prompt_of
from app.errors import ImportFormatError
from app.messages import Sampling
from app.vault.prompts.records import Prompt

WORDS = st.from_regex(r"[a-zé][a-z:#'\"é]{0,6}( [a-z0-9-]{1,6}){0,3}", fullmatch=True)
PROMPTS = st.builds(
    Prompt,
    name=st.from_regex(r"[b-d]{4}(-[a-z0-9]{1,4}){0,2}", fullmatch=True),
    kind=st.sampled_from(("prompt", "persona")),
    title=WORDS,
    description=WORDS,
    tags=st.lists(WORDS, max_size=3, unique=True).map(tuple),
    text=st.text(st.characters(exclude_characters="\r\0", exclude_categories=("Cs",)), max_size=80)
    .map(lambda text: text.strip("\n"))
    .filter(str.strip),
    model=WORDS,
    sampling=st.builds(
        Sampling,
        temperature=st.none() | st.floats(0, 2),
        seed=st.none() | st.integers(0, 2**32 - 1),
        stop=st.lists(WORDS, max_size=2).map(tuple),
    ),
)


def test_a_file_says_what_it_is_in_yaml_or_toml():
    persona = prompt_of(
        "---\nkind: Persona\nmodel: small\ntemperature: 1\ntags: a, b\nodd: [1]\n---\r\nYou\r\nare.", "Ed_itor"
    )
    assert persona == Prompt(
        name="ed-itor",
        kind="persona",
        title="Ed itor",
        tags=("a", "b"),
        text="You\nare.",
        model="small",
        sampling=Sampling(temperature=1.0),
    )
    assert prompt_of('+++\nname = "x"\nstop = "END"\n+++\nHi', "y").sampling.stop == ("END",)
    assert prompt_of("Just text.", "???").name == "prompt"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no text"),
        ("---\ntitle: x\n---\n \n", "no text"),
        ("---\nkind: robot\n---\nx", "'robot'; expected prompt or persona"),
        ("---\ntemperature: hot\n---\nx", "'hot'; expected a number from 0 to 100"),
        ("---\nseed: true\n---\nx", "'True'; expected a whole number"),
        ("---\ntop_p: .nan\n---\nx", "top_p"),
        ("---\nstop: [1]\n---\nx", "stop"),
        ("---\na: &a [x]\nb: *a\n---\nx", "aliases"),
        ("---\n[\n---\nx", "not YAML"),
        ("x" * (MOST_BYTES + 1), "more than 256 KiB"),
        ("".join(f"{{{{v{number}}}}}" for number in range(33)), "33 variables"),
    ],
)
def test_what_makes_no_sense_is_named(text, words):
    with pytest.raises(ImportFormatError, match=words):
        prompt_of(text, "a")


@settings(max_examples=40)
@given(PROMPTS)
def test_a_prompt_that_is_written_is_read_as_the_same(prompt):
    assert prompt_of(file_of(prompt), "other") == prompt


@given(st.text(max_size=200) | st.builds("---\n{}\n---\n{}".format, st.text(max_size=80), st.text(max_size=40)))
def test_garbage_is_a_prompt_or_an_error_with_a_sentence(text):
    try:
        prompt = prompt_of(text, "garbage")
    except ImportFormatError as error:
        assert error.message
    else:
        assert prompt.text.strip() and prompt.name
