"""The files that fit what is being typed after an ``@``."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from app.privacy.terminal import clean

MOST = 8


class OfferedFiles(Widget):
    """A few lines above the composer. The composer keeps the focus and moves the highlight."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    OfferedFiles { height: auto; max-height: 8; width: 1fr; padding: 0 1; background: $surface; display: none;
        text-wrap: nowrap; text-overflow: ellipsis; }
    """

    class Taken(Message):
        """A file was clicked."""

        def __init__(self, path: str) -> None:
            super().__init__()
            self.path = path

    def __init__(self) -> None:
        super().__init__(id="files")
        self._paths: tuple[str, ...] = ()
        self._place = 0

    def offer(self, paths: tuple[str, ...]) -> None:
        """Shows these, the likeliest first; hides itself when there are none."""
        if paths != self._paths:
            self._paths, self._place = paths, 0
            self.display = bool(paths)
            self.refresh(layout=True)

    @property
    def highlighted(self) -> str | None:
        """The path that Enter would take."""
        return self._paths[self._place] if self._paths else None

    def move(self, step: int) -> None:
        """Moves the highlight, round the ends."""
        if self._paths:
            self._place = (self._place + step) % len(self._paths)
            self.refresh()

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """One line a file."""
        return min(MOST, len(self._paths))

    def render(self) -> Content:
        """The name, and where it lies; of a long way its end."""
        start = self._start()
        width = self.content_size.width
        lines = []
        for place, path in enumerate(self._paths[start : start + MOST], start):
            way, slash, name = _short(clean(path), width).rpartition("/")
            if path.endswith("/"):
                way, slash, name = way.rpartition("/")[0], slash, f"{way.rpartition('/')[2]}/"
            if place == self._place:
                line = Content.styled(
                    f"{way}{slash if way else ''}{name}".ljust(width),
                    "$block-cursor-foreground on $block-cursor-background",
                )
            else:
                line = Content.assemble((f"{way}{slash if way else ''}", "$text-muted"), (name, "bold"))
            lines.append(line)
        return Content("\n").join(lines)

    def _start(self) -> int:
        return max(0, min(self._place - MOST + 2, len(self._paths) - MOST)) if len(self._paths) > MOST else 0

    def on_click(self, event: events.Click) -> None:
        """A click takes the file."""
        place = self._start() + event.y
        if 0 <= place < len(self._paths):
            self.post_message(self.Taken(self._paths[place]))


def _short(path: str, width: int) -> str:
    return path if len(path) <= width else f"…{path[len(path) - width + 1 :]}"
