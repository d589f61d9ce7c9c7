"""The last net under every widget: nothing that commands the terminal leaves through what is painted.

Panes clean text where it comes in. This catches what they forget, a library's widget does by itself, or a file name
brings along: Textual passes every line of every widget through the application's line filters before it is written.
"""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from app.privacy.terminal import is_clean


class TerminalNet(LineFilter):
    """Replaces control, direction and invisible characters in painted text, cell for cell.

    A character that takes no cell is left out, another becomes ``�``, so the line keeps its width and the layout holds.
    Installed by ``App.get_line_filters``. A line with nothing to catch costs well under a microsecond a segment.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments, harmless."""
        if all(segment.text.isprintable() and _harmless_link(segment.style) for segment in segments):
            return segments
        return [_caught(segment) for segment in segments]


def _harmless_link(style: Style | None) -> bool:
    return style is None or style.link is None or style.link.isprintable()


def _caught(segment: Segment) -> Segment:
    text, style, control = segment
    if control:
        return segment
    if not _harmless_link(style):
        assert style is not None
        style = style.update_link(None)
    if not is_clean(text) or "\n" in text or "\t" in text:
        text = "".join(
            character if is_clean(character) and character not in "\n\t" else "�" * cell_len(character)
            for character in text
        )
    return Segment(text, style)
