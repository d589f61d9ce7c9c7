"""An exported post is what the program that it is for expects, and its file never takes another's place."""

from __future__ import annotations

import errno
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import DiskFullError, PublishError
from app.vault.posts.records import Post
from app.writing import publishing
from app.writing.exporting import FORMS, exported
from app.writing.front_matter import read
from app.writing.publishing import publish

POST = Post(
    id="p", title="Why Lighthouses?", status="published", date=1767323045.0, tags=("sea",), body="# Why\n\nLight."
)


def clock() -> float:
    return 0.0


def paths(post: Post) -> list[str]:
    return [str(exported(post, form, clock).path) for form in FORMS]


def test_places():
    slug = "why-lighthouses"
    assert paths(POST) == [
        f"{slug}.md",
        f"{slug}.html",
        f"content/posts/{slug}/index.md",
        f"_posts/2026-01-02-{slug}.md",
    ]
    draft = Post(id="p", title="../../escape", body="x")
    assert paths(draft) == ["escape.md", "escape.html", "content/posts/escape/index.md", "_drafts/escape.md"]


def test_a_published_post_without_a_date_gets_todays():
    post = Post(id="p", title="Now", status="published")
    assert str(exported(post, "jekyll", clock).path) == "_posts/1970-01-01-now.md"


@pytest.mark.parametrize("form", ["markdown", "hugo", "jekyll"])
def test_a_front_matter_parser_reads_it_back(form):
    head, body = read(exported(POST, form, clock).text)
    assert (head.title, head.slug, head.date, head.tags, head.status) == (
        "Why Lighthouses?", "why-lighthouses", POST.date, ("sea",), "published",
    )  # fmt: skip
    assert body == POST.body + "\n"
    assert ("layout" in head.others) == (form == "jekyll")


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)


@given(st.text(max_size=200), st.text(max_size=40))
def test_no_text_makes_a_page_that_runs_something(body, title):
    parser = Tags()
    parser.feed(
        exported(Post(id="p", title=title, body=body + "\n<script>x</script><img src=x onerror=y>"), "html", clock).text
    )
    assert "script" not in parser.seen
    assert parser.seen.count("body") == 1


@given(st.text(max_size=60), st.text(max_size=60))
def test_every_place_is_inside_the_folder(title, slug):
    for form in FORMS:
        path = exported(Post(id="p", title=title, slug=slug), form, clock).path
        assert not path.is_absolute() and ".." not in path.parts
        assert path == PurePosixPath(*path.parts)


async def test_publishing_makes_the_folders(tmp_path: Path):
    made = await publish(exported(POST, "hugo", clock), tmp_path / "site")
    assert made == tmp_path / "site/content/posts/why-lighthouses/index.md"
    assert made.read_text("utf-8").startswith("---\ntitle: Why Lighthouses?\n")
    assert [path.name for path in made.parent.iterdir()] == ["index.md"]
    assert await publish(exported(POST, "hugo", clock), tmp_path / "site") == made  # the same text again is no harm


async def test_a_file_of_somebody_else_is_never_replaced_unasked(tmp_path: Path):
    (tmp_path / "why-lighthouses.md").write_text("mine")
    file = exported(POST, "markdown", clock)
    with pytest.raises(PublishError, match="already"):
        await publish(file, tmp_path)
    assert (tmp_path / "why-lighthouses.md").read_text() == "mine"
    await publish(file, tmp_path, replace=True)
    assert (tmp_path / "why-lighthouses.md").read_text("utf-8") == file.text
    assert len(list(tmp_path.iterdir())) == 1


async def test_a_link_does_not_lead_out_of_the_folder(tmp_path: Path):
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    site.mkdir()
    elsewhere.mkdir()
    (site / "content").symlink_to(elsewhere)
    with pytest.raises(PublishError, match="link"):
        await publish(exported(POST, "hugo", clock), site)
    assert list(elsewhere.iterdir()) == []


async def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch):
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(publishing.os, "fsync", full)
    with pytest.raises(DiskFullError):
        await publish(exported(POST, "markdown", clock), tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_a_file_system_without_links_will_do(tmp_path: Path, monkeypatch):
    def refused(_self: Path, _target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    file = exported(POST, "markdown", clock)
    made = await publish(file, tmp_path)
    assert made.read_text("utf-8") == file.text
    made.write_text("mine")
    with pytest.raises(PublishError, match="already"):
        await publish(file, tmp_path)
    assert made.read_text() == "mine"


async def test_a_folder_that_is_a_file_is_named(tmp_path: Path):
    (tmp_path / "site").write_text("")
    with pytest.raises(PublishError, match="site"):
        await publish(exported(POST, "markdown", clock), tmp_path / "site")
