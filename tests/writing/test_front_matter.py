"""The head of a file is read whoever wrote it, and what we write is read back the same."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ImportFormatError
from app.vault.posts.records import Post
from app.writing.front_matter import FrontMatter, read, taken_in, written

LINE = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=30).map(
    lambda text: " ".join(text.split())
)
POSTS = st.builds(
    Post,
    id=st.just("p"),
    title=LINE.filter(bool),
    slug=st.from_regex(r"[a-z0-9]{0,9}", fullmatch=True),
    status=st.sampled_from(["draft", "published"]),
    date=st.none() | st.integers(0, 4_000_000_000).map(float),
    tags=st.lists(LINE.filter(bool), max_size=4, unique=True).map(tuple),
    body=st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r"), max_size=200),
)


@given(POSTS)
def test_what_is_written_is_read_back(post):
    head, body = read(written(post))
    assert (head.title, head.slug, head.tags, head.status, head.date) == (
        post.title,
        post.slug,
        post.tags,
        post.status,
        post.date,
    )
    assert body.strip("\n") == post.body.strip("\n")


def test_another_parser_agrees():
    text = written(Post(id="p", title='He said: "yes"', slug="yes", date=0.0, tags=("a: b", "c"), body="# Hm"))
    _, head, body = text.split("---\n", 2)
    fields = yaml.safe_load(head)
    assert fields["title"] == 'He said: "yes"' and fields["tags"] == ["a: b", "c"] and fields["draft"] is True
    assert fields["date"].isoformat() == "1970-01-01T00:00:00+00:00"
    assert body == "\n# Hm\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "---\ntitle: Hugo\ndate: 2026-01-02T03:04:05Z\ndraft: false\n---\nBody",
            ("Hugo", 1767323045.0, (), "published"),
        ),
        (
            "---\ntitle: Jekyll\ntags: sea light\ndate: 2026-01-02 00:00:00 +0000\n---\n\nBody",
            ("Jekyll", 1767312000.0, ("sea", "light"), "draft"),
        ),
        (
            '+++\ntitle = "Toml"\ntags = ["a", "a", "b"]\ndate = 2026-01-02\n+++\nBody',
            ("Toml", 1767312000.0, ("a", "b"), "draft"),
        ),
        ("---\r\ntitle: Windows\r\npublished: true\r\n---\r\nBody", ("Windows", None, (), "published")),
        ("\ufeff---\ntitle: 2026\n---\nBody", ("2026", None, (), "draft")),
        ("---\n---\nBody", ("", None, (), "draft")),
    ],
)
def test_what_others_write(text, expected):
    head, body = read(text)
    assert (head.title, head.date, head.tags, head.status) == expected
    assert body == "Body"


def test_what_is_not_ours_is_kept():
    head, _ = read("---\ntitle: T\nlayout: post\nweight: 3\n---\n")
    assert head.others == {"layout": "post", "weight": 3}
    assert read(written(Post(id="p", title="T"), others=head.others))[0].others == head.others


@pytest.mark.parametrize(
    "text", ["Just text", "---\nnever closed", "--- \n", "-----\nx\n-----\n", "text\n---\na: b\n---\n", ""]
)
def test_a_text_without_a_head_is_all_body(text):
    assert read(text) == (FrontMatter(), text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("---\n{unclosed\n---\n", "not YAML"),
        ("+++\nx = \n+++\n", "not TOML"),
        ("---\n- a\n- list\n---\n", "list"),
        ("---\ndate: next week\n---\n", "next week"),
        ("---\na: &a [x]\nb: *a\n---\n", "aliases"),
        ("---\nx: " + "y" * 70_000 + "\n---\n", "64 KiB"),
        ("---\nx: " + "[" * 5000 + "\n---\n", "not YAML"),
        ("---\nx: !!python/object/apply:os.system [ls]\n---\n", "not YAML"),
    ],
)
def test_a_head_that_makes_no_sense_is_named(text, named):
    with pytest.raises(ImportFormatError, match=named):
        read(text)


@given(
    st.text(alphabet=st.sampled_from("-+:\n #ab[]{}*&!\"'|>0129TZ.,\t\r"), max_size=80), st.sampled_from(["---", "+++"])
)
def test_any_head_is_read_or_refused(inside, fence):
    try:
        read(f"{fence}\n{inside}\n{fence}\n")
    except ImportFormatError as error:
        assert error.message


def test_a_file_taken_in_keeps_what_it_does_not_say():
    post = Post(id="p", title="Old", slug="old", tags=("kept",), body="old")
    assert taken_in("---\ntitle: New\n---\nnew", post) == Post(
        id="p", title="New", slug="old", tags=("kept",), body="new"
    )
