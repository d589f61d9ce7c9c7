"""File names that are safe everywhere."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.chat.formats import suggested_name
from app.vault.conversations.records import Session


def name(title, form="markdown"):
    return suggested_name(Session(id="s", title=title), form)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Sourdough that does not rise", "Sourdough-that-does-not-rise.md"),
        ("C++ / Rust: which?", "C-Rust-which.md"),
        ("../../etc/passwd", "etc-passwd.md"),
        (".hidden", "hidden.md"),
        ("--help", "help.md"),
        ("~root $(reboot)", "root-reboot.md"),
        ("v1.2.3 … notes", "v1.2.3-notes.md"),
        ("Grüezi 你好 नमस्ते", "Grüezi-你好-नमस्ते.md"),
        ("", "conversation.md"),
        ("///", "conversation.md"),
        ("\x1b]0;x\x07\n\u202e", "0-x.md"),
        ("CON", "conversation-CON.md"),
        ("lpt1.txt", "conversation-lpt1.txt.md"),
        ("console", "console.md"),
    ],
)
def test_a_title_becomes_a_file_name(title, expected):
    assert name(title) == expected


def test_each_form_has_its_suffix():
    assert (name("a", "json"), name("a", "html"), name("a", "markdown")) == ("a.json", "a.html", "a.md")


@settings(deadline=None)
@given(st.text(st.characters()) | st.text("./\\-_ \x00\u200b", max_size=10) | st.text("한é", min_size=60))
def test_any_title_gives_a_safe_name(title):
    found = name(title)
    assert 4 <= len(found.encode()) <= 203
    assert found[0] not in ".-_~"
    assert not set(found) & set('/\\:*?"<>|\0\n\r\t ')
    assert found.isprintable()
    assert ".." not in found
