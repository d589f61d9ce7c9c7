"""Markdown as painted lines, made outside the event loop."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import ClassVar

from rich.color import Color as RichColor
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from rich.theme import Theme
from textual.color import Color, ColorParseError
from textual.strip import Strip


class _Code(CodeBlock):
    """Code with a bar beside it, in the colour of code."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        style, bar = console.get_style("markdown.code_block"), console.get_style("markdown.hr")
        for line in str(self.text).rstrip("\n").split("\n"):
            yield Segment("▎ ", bar)
            yield Text(line.expandtabs(4), style=style, no_wrap=True, overflow="ellipsis")


class _Heading(Heading):
    """A heading at the left edge."""

    LEVEL_ALIGN: ClassVar = {f"h{level}": "left" for level in range(1, 7)}


class _Markdown(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "fence": _Code,
        "code_block": _Code,
        "heading_open": _Heading,
    }


class MarkdownPainter:
    """Paints Markdown in the colours of a theme; ``lines`` may be called in a thread, one call at a time.

    Args:
        variables: the theme's colours by name, as ``App.theme_variables`` has them.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        def ink(name: str, *, bold: bool | None = None, italic: bool | None = None, line: bool | None = None) -> Style:
            return Style(color=_colour(variables[name]), bold=bold, italic=italic, underline=line)

        first = ink("primary", bold=True)
        look = {
            "markdown.h1": ink("primary", bold=True, line=True),
            "markdown.h2": first,
            "markdown.h3": ink("secondary", bold=True),
            **{f"markdown.h{level}": ink("secondary") for level in (4, 5, 6)},
            "markdown.code": ink("accent"),
            "markdown.code_block": ink("secondary"),
            "markdown.block_quote": ink("text-muted", italic=True),
            "markdown.hr": ink("border"),
            "markdown.item.bullet": first,
            "markdown.item.number": first,
            "markdown.link": ink("secondary", line=True),
            "markdown.link_url": ink("text-muted"),
            "markdown.table.border": ink("border"),
            "markdown.table.header": first,
        }
        self._console = Console(
            file=StringIO(), force_terminal=True, color_system="truecolor", theme=Theme(look), highlight=False
        )

    def lines(self, markdown: str, width: int) -> tuple[Strip, ...]:
        """The lines of a piece of Markdown, each ``width`` cells wide."""
        options = self._console.options.update(width=max(8, width), height=None)
        painted = self._console.render_lines(_Markdown(markdown, hyperlinks=False), options, pad=True)
        return tuple(Strip(line).simplify() for line in painted)


def _colour(value: str) -> RichColor | None:
    """The colour of a variable; none, the text's own, for what is mixed with whatever it stands on ("auto 60%")."""
    try:
        return Color.parse(value.partition(" ")[0]).rich_color
    except ColorParseError:
        return None
