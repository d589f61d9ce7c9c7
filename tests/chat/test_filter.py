from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat.filter import ContentFilter, filtered


def in_pieces(text: str, cuts: list[int]) -> str:
    content = ContentFilter()
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    pieces = [text[start:end] for start, end in itertools.pairwise(places)]
    return "".join(content.feed(piece) for piece in pieces) + content.finish()


@pytest.mark.parametrize(
    ("text", "shown", "left_out"),
    [
        ("Certainly! The sky is blue.", "The sky is blue.", 1),
        ("Certainly!\n\nThe sky is blue.", "The sky is blue.", 1),
        ("Sure, here is a poem about the sea:\n\nWaves.", "Waves.", 1),
        ("Sure! Here's a poem:\n\n# Waves\n", "# Waves\n", 2),
        ("Of course! I'd be happy to help. Rome is old.", "Rome is old.", 2),
        ("That's a great question! Rome is old.", "Rome is old.", 1),
        ("Rome is old. I hope this helps!", "Rome is old.", 1),
        ("Rome is old.\n\nLet me know if you have any other questions. I hope this helps!", "Rome is old.", 2),
        ("Rome is old. As an AI language model, I cannot travel. Go there.", "Rome is old. Go there.", 1),
        (
            "As an AI language model, I don’t have opinions, but most people like Rome. Go.",
            "I don’t have opinions, but most people like Rome. Go.",
            1,
        ),
        ("A.\n\nAs an AI, I do not have feelings.\n\nB.", "A.\n\nB.", 1),
        ("The old man went down to the sea. The old man went down to the sea. He swam.",
         "The old man went down to the sea. He swam.", 1),
    ],
)  # fmt: skip
def test_boilerplate_is_left_out_in_its_place(text: str, shown: str, left_out: int) -> None:
    assert filtered(text) == (shown, left_out)


@pytest.mark.parametrize(
    "text",
    [
        "Absolutely. Water is wet.",
        "Rome is old. Certainly! It is.",
        "I hope this helps! And now the second part of it.",
        "As a large company, we pay our taxes.",
        "As an AI researcher, I cannot agree.",
        "Certainly!",
        "I hope this helps!",
        "No! No! No! No!",
        "I went to see my old friend Mr. Smith. I went to see my old friend Mr. Jones.",
        "- Sure, here is one thing.\n- Sure, here is one thing.\n- Sure, here is one thing.\n",
        "1. Eat an apple each and every day.\n2. Eat an apple each and every day.\n",
        "> Certainly! I hope this helps!\n> Certainly!\n",
        "| It is the same in all rows. |\n| --- |\n| It is the same in all rows. |\n",
        "He said: “Well. As an AI language model, I cannot know. Ask again.” Then he left.",
        'He said: "Well. As an AI language model, I cannot know. Ask again." Then he left.',
        "```\nAs an AI language model, I cannot know.\n```\n",
        "    Certainly!\n    Certainly!\n",
        "~~~~\n```\nprint(1)\n~~~\nI hope this helps!\n~~~~\n",
        "Say `Certainly! As an AI language model, I cannot.` and go.",
        "  leading and trailing white space \n\n\n",
        "Certainly! ```not a fence",
        "",
        " \n \n",
    ],
)
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert filtered(text) == (text, 0)


def test_code_after_boilerplate_is_exact() -> None:
    code = "```python\ndef f():\n\n    return 1  \n\n\n```"
    assert filtered(f"Certainly! Here is the code:\n\n{code}\n\nI hope this helps!") == (code, 3)


def test_text_is_not_held_back_without_need() -> None:
    content = ContentFilter()
    assert content.feed("Rome is") == "Rome is"
    assert content.feed(" old. I hope") == " old."
    assert content.feed(" to see") == " I hope to see"
    assert content.feed(" it. ") == " it"
    assert content.finish() == ". "


PARTS = st.sampled_from(
    [
        *("Certainly! ", "Sure, here is a list:\n", "Here are some:\n\n", "As an AI language model, I cannot know. "),
        *("As an AI, I can't tell, but you may go on. ", "I hope this helps! ", "Let me know if you need more. "),
        *(
            "The old man went down to the sea. ",
            "The old man",
            " went down",
            " to see Dr. Who! ",
            "Is it? ",
            "e.g. so. ",
        ),
        *(
            "\n",
            "\n\n",
            "- ",
            "1. ",
            "> ",
            "| a | b |\n",
            "# Title\n",
            "    ",
            "  ",
            "\t",
            "* ",
            "**bold** ",
            "12",
            "1984 ",
        ),
        *(
            "`",
            "``",
            "```",
            "```py\n",
            "\n```\n",
            "~~~\n",
            '"',
            "“",
            "”",
            "a",
            "B. ",
            "Ω! ",
            "好。",
            "...",
            "'s",
            "\r\n",
        ),
    ]
)
TEXTS = st.one_of(st.lists(PARTS, max_size=25).map("".join), st.text(max_size=60))


@given(TEXTS, st.lists(st.integers(0, 1000), max_size=12))
def test_however_the_text_is_cut_the_same_comes_out(text: str, cuts: list[int]) -> None:
    assert in_pieces(text, cuts) == filtered(text)[0]
    assert in_pieces(text, list(range(len(text)))) == filtered(text)[0]


@given(st.lists(st.sampled_from(list("ab .,!?\n-*#>|`~\"'12AB\t")), max_size=80).map("".join))
def test_text_without_boilerplate_comes_out_unchanged(text: str) -> None:
    # Too few letters for a phrase, and short words: sentences of five are told apart by their number.
    numbered = "".join(f"{place}{mark}" if mark in ".!?" else mark for place, mark in enumerate(text))
    assert filtered(numbered) == (numbered, 0)


@given(TEXTS, st.lists(PARTS, max_size=8).map("".join), TEXTS)
def test_code_is_never_changed(before: str, code: str, after: str) -> None:
    code = code.replace("~", "-")
    block = f"\n\n~~~~~~\n{code}\n~~~~~~\n"
    # What stands before must not be an open code block itself.
    before = before.replace("~", "-").replace("`", "'")
    assert block.strip("\n") in filtered(before + block + after)[0]


@given(TEXTS)
def test_what_is_left_out_is_counted_and_never_everything(text: str) -> None:
    shown, left_out = filtered(text)
    assert (shown == text) or left_out > 0
    assert bool(shown.strip()) == bool(text.strip())
