"""The parts of the Blog pane, each without an application around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from app.errors import UnknownPostError
from app.tui.blog.head import Head
from app.tui.blog.kept_post import KeptPost
from app.tui.blog.pause import Pause
from app.tui.blog.post_bin import PostBin
from app.vault.posts.posts import new_post
from app.vault.posts.records import Post, PostLine

from .around import Around


class Posts:
    """Posts of a vault."""

    def __init__(self, *posts: Post) -> None:
        self.here = {post.id: post for post in posts}
        self.binned: dict[str, Post] = {}
        self.revised: list[tuple[str, str]] = []

    async def get(self, post_id: str) -> Post:
        if post_id not in self.here:
            raise UnknownPostError(post_id)
        return self.here[post_id]

    async def save(self, post: Post) -> None:
        self.here[post.id] = post

    async def revise(self, post_id: str, reason: str) -> None:
        self.revised.append((post_id, reason))

    async def delete(self, post_id: str) -> None:
        self.binned[post_id] = self.here.pop(post_id)

    async def restore(self, post_id: str) -> None:
        self.here[post_id] = self.binned.pop(post_id)

    async def purge(self, post_id: str) -> None:
        del self.binned[post_id]


class Page:
    """A title and a text, as an editor that writes its own line ends."""

    def __init__(self) -> None:
        self.title, self.text = "", ""

    def put(self, title: str, body: str) -> None:
        self.title, self.text = title, body.replace("\r\n", "\n")

    def change(self, title: object = None, body: object = None) -> None:
        self.title = title if isinstance(title, str) else self.title
        self.text = body if isinstance(body, str) else self.text

    def clear(self) -> None:
        self.put("", "")


def a_post(title: str = "Sea", body: str = "One.\r\nTwo.") -> Post:
    return msgspec.structs.replace(new_post(), title=title, body=body)


def on_a_desk(posts: Posts) -> tuple[KeptPost, Page, list[str]]:
    page, heard = Page(), list[str]()
    kept = KeptPost(
        posts,  # type: ignore[arg-type]
        page,
        told=lambda error: heard.append(f"trouble: {error}"),
        shown=lambda: heard.append("shown"),
        cleared=lambda: heard.append("cleared"),
    )
    return kept, page, heard


async def test_to_open_a_post_is_not_to_change_it_and_what_is_typed_is_kept_when_it_goes() -> None:
    sea, other = a_post(), a_post("Other", "Words.")
    posts = Posts(sea, other)
    kept, page, heard = on_a_desk(posts)
    await kept.open(sea.id)
    kept.take_text()
    assert kept.post == sea
    assert posts.revised == [(sea.id, "opened")]

    page.text += " Three."
    await kept.open(other.id)
    assert posts.here[sea.id].body == "One.\nTwo. Three.", "typed this very moment"
    assert (page.title, page.text) == ("Other", "Words.")

    await kept.begin()
    assert kept.post is not None and len(posts.here) == 2
    await kept.close()
    assert len(posts.here) == 2, "an empty post leaves no trace"
    assert kept.keeper is None and (page.title, page.text) == ("", "")
    assert heard[-1] == "cleared" and not any(words.startswith("trouble") for words in heard)


async def test_a_post_that_is_not_there_leaves_the_desk_empty() -> None:
    kept, page, _ = on_a_desk(Posts())
    with pytest.raises(UnknownPostError):
        await kept.open("nowhere")
    assert kept.keeper is None and page.text == ""


async def test_an_address_is_settled_once_wherever_the_post_is() -> None:
    sea, other = a_post(), a_post("Other", "Words.")
    posts = Posts(sea, other)
    kept, _, _ = on_a_desk(posts)
    head = Head(kept, posts, Around(), changed=lambda: None)  # type: ignore[arg-type]
    await kept.open(sea.id)
    await head.keep_address(sea)
    await head.keep_address(other)
    kept.adopt(title="Two seas")
    posts.here[other.id] = msgspec.structs.replace(posts.here[other.id], title="Quite another")
    for post in (sea, other):
        await head.keep_address(msgspec.structs.replace(post, title="Later"))
    await kept.close()
    assert (posts.here[sea.id].slug, posts.here[other.id].slug) == ("sea", "other")
    assert posts.here[sea.id].title == "Two seas"


async def test_the_bin_gives_back_what_was_deleted_last_but_not_what_is_gone_for_good() -> None:
    kept = [a_post(f"Post {number}") for number in range(3)]
    posts, around = Posts(*kept), Around()
    gone, shown = list[str](), list[str | None]()
    bin_ = PostBin(posts, around, gone=gone.append, reload=shown.append)  # type: ignore[arg-type]
    lines = [PostLine(id=post.id, title=post.title, status="draft", updated_at=0) for post in kept]
    for line in lines:
        await bin_.delete(line)
    assert around.said[-1] == "“Post 2” lies in the bin: <blog.undo> brings it back."

    bin_.ask_to_purge(lines[2])
    around.asked.pop()[1](True)
    await around.done()
    bin_.undo()
    await around.done()
    assert list(posts.here) == [kept[1].id]
    assert shown[-1] == kept[1].id, "the choice goes to what is back"
    await bin_.restore(lines[0])
    assert not bin_.can_undo
    assert gone == [kept[0].id, kept[1].id, kept[2].id, kept[2].id]


class Timer:
    def __init__(self, then: Callable[[], None]) -> None:
        self.then: Callable[[], None] | None = then

    def stop(self) -> None:
        self.then = None


def test_a_pause_is_one_wait_at_a_time() -> None:
    timers, passed = list[Timer](), list[Any]()

    def after(seconds: float, then: Callable[[], None]) -> Timer:
        timers.append(Timer(then))
        return timers[-1]

    pause = Pause(after)
    pause.begin(1, lambda: passed.append(("first", pause.waiting)))
    pause.begin(1, lambda: passed.append(("second", pause.waiting)))
    assert pause.waiting and timers[0].then is None
    then = timers[1].then
    assert then is not None
    then()
    assert passed == [("second", False)]
    pause.begin(1, lambda: passed.append("third"))
    pause.end()
    assert not pause.waiting and timers[2].then is None
