"""The line below a post: how long it is, what it is, and whether it is kept."""

from __future__ import annotations

from msgspec import Struct
from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from app.privacy.terminal import clean
from app.tui import words
from app.tui.sessions.tags import tag_words
from app.vault.posts.records import PostStatus


class PostState(Struct, frozen=True, kw_only=True):
    """What the line says.

    Attributes:
        saved: whether the vault has all of it.
        trouble: why it cannot be kept now.
        note: what is going on.
    """

    words: int = 0
    reading: str = ""
    status: PostStatus = "draft"
    tags: tuple[str, ...] = ()
    saved: bool = True
    trouble: str = ""
    note: str = ""


class StateLine(Widget):
    """One calm line; what does not fit goes, the tags first. Whether the post is kept always stays."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    StateLine { height: 1; width: 1fr; margin: 0 1; color: $text-muted; }
    """

    state: reactive[PostState] = reactive(PostState())

    def __init__(self) -> None:
        super().__init__(id="post-state")

    def render(self) -> Content:
        """Length, status and tags on the left; whether it is kept on the right."""
        state, width = self.state, self.content_size.width
        kept = _kept_words(state, width)
        left = [(words.plural(state.words, "word"), "$text-muted")]
        if state.words and state.reading:
            left.append((f"{state.reading} to read", "$text-muted"))
        left.append((state.status, "$success" if state.status == "published" else "$text-muted"))
        if state.note:
            left.append((clean(state.note), "$accent"))
        if state.tags:
            left.append((" ".join(tag_words(tag) for tag in state.tags), "$secondary"))
        room = width - cell_len(kept[0]) - 2
        while len(left) > 1 and sum(cell_len(text) + 3 for text, _ in left) - 3 > room:
            left.pop()
        pieces = [piece for one in left for piece in ((" · ", "$text-disabled"), one)][1:]
        gap = width - sum(cell_len(text) for text, _ in pieces) - cell_len(kept[0])
        return Content.assemble(*pieces, (" " * max(1, gap), ""), kept)


def _kept_words(state: PostState, width: int) -> tuple[str, str]:
    if state.trouble:
        return words.cut(f"✗ not saved: {clean(state.trouble)}", max(20, width - 20)), "$text-error"
    return ("✓ saved", "$success") if state.saved else ("… saving", "$text-muted")
