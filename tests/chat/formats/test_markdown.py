"""Markdown: readable as it is, and nothing that a message holds breaks what follows it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from msgspec import structs

from app.chat.formats import export
from app.chat.formats.fences import fenced, literal, quoted
from app.chat.formats.markdown import to_markdown
from app.messages import Message, Node
from app.vault.conversations.records import Session, WholeSession

from .samples import conversations, rich, said

PARSER = MarkdownIt("commonmark")


def headings(document, level="h2"):
    tokens = PARSER.parse(document)
    return [
        tokens[index + 1].content
        for index, token in enumerate(tokens)
        if token.type == "heading_open" and token.level == 0 and token.tag == level
    ]


def test_a_conversation_reads_well():
    whole = said("Say *hello*.", "**Hello!**", title="First words", system="Be kind.\n\nAlways.")
    assert to_markdown(whole) == (
        "# First words\n\n"
        "*2025-12-14 00:28 UTC*\n\n"
        "> **System prompt**\n>\n> Be kind.\n>\n> Always.\n\n"
        "## You\n\n*2025-12-14 00:28 UTC*\n\nSay *hello*.\n\n"
        "## smollm2\n\n*2025-12-14 00:28 UTC*\n\n**Hello!**\n"
    )


def test_thoughts_tools_pictures_and_endings_are_there():
    document = to_markdown(rich())
    assert "> **Thinking**\n>\n> A cat,\n>\n> perhaps\n\nLet me *look*." in document
    assert '**Tool call:** look\n\n```json\n{"at": 1}\n```' in document
    assert "**Error from the tool**\n\n````\na ``` cat\n````" in document
    assert "![Image](data:image/png;base64," in document
    assert "**Image:** https://example.org/x.png" in document
    assert "> **Failed: The engine stopped. It ran out of memory. Try a smaller model.**" in document
    assert document.rstrip().endswith("It is\n\n> **Stopped before its end.**")


def test_only_the_branch_that_is_shown_is_written():
    assert "On the other branch" not in to_markdown(rich())
    other = WholeSession(structs.replace(rich().session, head_id="other"), rich().nodes)
    assert "On the other branch" in to_markdown(other)
    assert "perhaps" not in to_markdown(other)


def test_an_empty_conversation_and_a_lost_head_are_only_a_title():
    assert to_markdown(WholeSession(Session(id="s"), ())) == "# Untitled conversation\n"
    assert to_markdown(WholeSession(Session(id="s", title=" a\n# b "), rich().nodes)) == "# a \\# b\n"
    assert to_markdown(WholeSession(Session(id="s", head_id="gone"), rich().nodes)) == "# Untitled conversation\n"


def test_nodes_in_a_circle_end():
    node = Node(id="a", parent_id="a", message=Message.user("x"), created_at=1e300)
    assert headings(to_markdown(WholeSession(Session(id="s", head_id="a"), (node,)))) == ["You"]


OPEN = [
    "```python\nprint(1)",
    "~~~~\ncode\n~~~",
    "````\n```\n",
    "- list\n\n  ```\n  code",
    "> ```\n> code",
    "1. ```\n   a",
    "<!-- comment",
    "<script>\nalert(1)\n\nmore",
    "<PRE>x",
    "<style>\n\np {",
    "<textarea>\n\n",
    "<![CDATA[ x",
    "<?php echo",
    "<!DOCTYPE",
    "text\n<!--\n```\n-->\n```",
    "    indented\n",
    "# heading\n---",
    "a paragraph\\",
    "| a | b |\n| - | - |\n| 1",
    "<div>\nopen",
    "[a]: <http://example.org",
    "[x]:\n\n",
    "a\r```\rb",
    "```\u2028\n",
    "-",
    "*" * 50,
]


@pytest.mark.parametrize("text", OPEN)
def test_whatever_a_message_leaves_open_ends_with_it(text):
    document = to_markdown(said(text, text, text))
    assert [name for name in headings(document) if name in ("You", "smollm2")] == ["You", "smollm2", "You"]
    assert text in document


def test_what_is_sound_is_not_touched():
    text = "```python\nprint('`')\n```\n\n<!-- note -->\n\nEnd"
    assert f"\n\n{text}\n\n## smollm2" in to_markdown(said(text, "x"))


@settings(deadline=None)
@given(st.text(st.sampled_from("`~<>!-?[]#=*_ \n\r\tab1.|\\:/scriptpe\"'"), max_size=60))
def test_no_text_swallows_what_follows_it(text):
    document = to_markdown(said(f"x{text}", "Answer", f"{text}"))
    assert [name for name in headings(document) if name in ("You", "smollm2")][:2] == ["You", "smollm2"]
    assert headings(f"{document}\n\n## The end\n")[-1] == "The end"


@settings(deadline=None)
@given(st.text(st.characters()))
def test_a_fence_holds_any_text(text):
    (token,) = PARSER.parse(fenced(text, "json"))
    assert token.type == "fence"
    assert token.info == "json"


@settings(deadline=None)
@given(st.text(st.characters()))
def test_a_quote_holds_any_text(text):
    tokens = PARSER.parse(f"{quoted(text)}\n\nafter")
    assert [token.type for token in tokens if token.level == 0] == [
        "blockquote_open",
        "blockquote_close",
        "paragraph_open",
        "paragraph_close",
    ]


@settings(deadline=None)
@given(st.text(max_size=40))
def test_a_title_is_one_heading(text):
    document = to_markdown(said("x", title=text))
    assert len(headings(document, "h1")) == 1
    assert literal(text) == literal(text).strip()


@settings(deadline=None)
@given(conversations())
def test_any_conversation_can_be_written(whole):
    document = export(whole, "markdown")
    assert document.startswith("# ")
    assert document.encode()
