"""HTML: one page, well-formed, on which nothing that was said can act."""

import re
import time
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from app.chat.formats import export
from app.chat.formats.html import to_html
from app.messages import Image, Message, Thinking, ToolCall, ToolResult
from app.vault.conversations.records import WholeSession

from .samples import PIXEL, conversations, rich, said

TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "article", "div", "details", "summary"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "span", "pre", "code", "a", "em", "strong", "s", "hr", "br", "img"),
    *("ul", "ol", "li", "blockquote", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {
    "html": {"xmlns"},
    "meta": {"charset", "http-equiv", "content", "name"},
    "article": {"class"},
    "h1": {"dir"},
    "div": {"dir"},
    "p": {"class"},
    "span": {"class"},
    "a": {"href", "title", "rel"},
    "code": {"class"},
    "img": {"src", "alt"},
    "ol": {"start"},
    "th": {"style"},
    "td": {"style"},
}


class Page(HTMLParser):
    """What a browser would find: every element with its attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def is_harmless(page):
    """Only elements that we write, only attributes that they have, no address that loads anything."""
    ElementTree.fromstring(page.encode())
    found = Page(page).found
    for tag, attributes in found:
        assert tag in TAGS, tag
        assert set(attributes) <= ATTRIBUTES.get(tag, set()), (tag, attributes)
        assert re.match(r"(https?://|mailto:)", attributes.get("href", "http://"), re.IGNORECASE)
        assert re.match(
            r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]*$", attributes.get("src", "data:image/png;base64,")
        )
        assert re.fullmatch(r"text-align:(left|right|center)", attributes.get("style", "text-align:left"))
    assert sum(tag == "style" for tag, _ in found) == 1
    assert sum(tag == "title" for tag, _ in found) == 1
    return True


def policy(page):
    return next(attributes["content"] for tag, attributes in Page(page).found if "http-equiv" in attributes)


def visible(page):
    return "".join(ElementTree.fromstring(page.encode()).itertext())


def test_a_conversation_is_a_page():
    page = to_html(
        said("Say *hello*.", "**Hello!**\n\n```python\nprint(1 < 2)\n```", title="First & last", system="Be kind.")
    )
    assert is_harmless(page)
    assert "<title>First &amp; last</title>" in page
    assert "<em>hello</em>" in page
    assert '<pre><code class="language-python">print(1 &lt; 2)\n</code></pre>' in page
    assert (
        '<article class="user">\n<h2><span class="who">You</span> <span class="when">2025-12-14 00:28 UTC</span></h2>'
        in page
    )
    assert '<span class="who">smollm2</span>' in page
    assert "<summary>System prompt</summary>" in page
    assert "prefers-color-scheme: dark" in page


def test_the_policy_forbids_everything_but_style():
    assert (
        policy(to_html(said("x")))
        == "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    )


def test_pictures_lie_within_the_page_and_the_policy_permits_them_alone():
    page = to_html(rich())
    assert is_harmless(page)
    assert policy(page).endswith("; img-src data:")
    assert page.count("<img ") == 1
    assert "Image: https://example.org/x.png" in page


def test_a_picture_of_an_unsafe_kind_is_only_named():
    whole = said("x")
    node = structs.replace(
        whole.nodes[0], message=Message("user", (Image("image/svg+xml", data=b"<svg onload='alert(1)'/>"),))
    )
    page = to_html(WholeSession(whole.session, (node,)))
    assert is_harmless(page)
    assert "<img" not in page
    assert "24 bytes of image/svg+xml" in page


def test_thoughts_tools_and_endings_are_there():
    words = visible(to_html(rich()))
    for expected in (
        "Thinking",
        "perhaps",
        "Tool call: look",
        "a ``` cat",
        "It ran out of memory.",
        "Stopped before its end.",
    ):
        assert expected in words
    assert "On the other branch" not in words


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</div></article></main><h1>forged</h1>",
    "</style><script>alert(1)</script>",
    "<!-- ",
    "]]>",
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1))",
    "[click](&#106;avascript:alert(1))",
    "[click](java\nscript:alert(1))",
    "[click](data:text/html,<script>alert(1)</script>)",
    "[click](vbscript:x)",
    "[click](file:///etc/passwd)",
    "[click](//example.org/x)",
    "[click](relative)",
    "[click](#anchor)",
    "[click][a]\n\n[a]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "![look](https://example.org/track.png)",
    "![look][a]\n\n[a]: https://example.org/track.png 'title'",
    "[![look](https://example.org/track.png)](https://example.org)",
    '!["onerror=alert(1)](https://example.org/"onerror=alert(1))',
    '[x](https://example.org "\\" onmouseover=alert(1)")',
    '[x](https://example.org/\\" onmouseover=alert)',
    '```"><script>alert(1)</script>\ncode\n```',
    "```x onload=alert(1)\ncode",
    "`</code><script>`",
    "| a |\n|:-:|\n| <b onclick=x> |",
    "~~<s onclick=x>~~",
    "&lt;script&gt; &#0; &#x1; &nbsp; &quot;",
    "\x00\x08\x1b]52;c;eA==\x07\x7f\x9b\ufffe\ud800",
    "https://example.org\u202e/gpj.exe",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_was_said_can_act(attack):
    whole = said(attack, attack, title=attack, system=attack)
    parts = (
        Thinking(attack),
        ToolCall(attack, attack, attack),
        ToolResult(attack, attack),
        Image(attack, url=attack),
        Image(attack, data=PIXEL),
    )
    node = structs.replace(whole.nodes[1], model=attack, message=Message("assistant", parts))
    page = to_html(WholeSession(whole.session, (whole.nodes[0], node)))
    assert is_harmless(page)
    assert "<img" not in page
    assert policy(page).startswith("default-src 'none'")


def test_links_to_the_web_and_to_people_are_kept():
    page = to_html(
        said("[a](https://example.org/?q=1&r=2) <http://example.org> <me@example.org> [b](MAILTO:me@example.org)")
    )
    links = [attributes for tag, attributes in Page(page).found if tag == "a"]
    assert [link["href"] for link in links] == [
        "https://example.org/?q=1&r=2",
        "http://example.org",
        "mailto:me@example.org",
        "MAILTO:me@example.org",
    ]
    assert all(link["rel"] == "noopener noreferrer nofollow" for link in links)


def test_a_picture_from_elsewhere_is_named_and_not_loaded():
    page = to_html(said("![a *cat*](https://example.org/cat.png)"))
    assert '<span class="picture">[a cat: https://example.org/cat.png]</span>' in page


@settings(deadline=None)
@given(
    st.text(st.characters(), max_size=80)
    | st.text(st.sampled_from("<>&\"'`*_[]()!:/#|~-\n \\javscriptdm1.="), max_size=80)
)
def test_no_text_breaks_the_page(text):
    assert is_harmless(to_html(said(text, text, title=text, system=text)))


@settings(deadline=None)
@given(conversations())
def test_any_conversation_can_be_written(whole):
    assert is_harmless(export(whole, "html"))


def test_a_very_long_text_is_shown_as_it_is():
    page = to_html(said("<b>*" * 100_000))
    assert is_harmless(page)
    assert "<pre>&lt;b&gt;*" in page


@pytest.mark.parametrize(
    "piece",
    ["[", "![", "*a_ ", "**a ", "`", "<", "<a", "> ", "- ", "[a](", "&", "~~a", "|", "a|", "1. ", "\\", "![[]("],
)
@pytest.mark.parametrize("form", ["html", "markdown"])
def test_text_made_to_be_slow_is_not(piece, form):
    whole = said(piece * (20_000 // len(piece)))
    begun = time.process_time()
    export(whole, form)
    assert time.process_time() - begun < 5
