"""The program's own looks: dark, light, high contrast, and one in the terminal's own sixteen colours."""

from __future__ import annotations

from collections.abc import Mapping

from textual.theme import Theme

DARK = Theme(
    name="playground-dark",
    primary="#7fd1ae",
    secondary="#8aa9e0",
    accent="#f2b880",
    foreground="#dde3ea",
    background="#12151a",
    surface="#191d24",
    panel="#222832",
    success="#8fce8f",
    warning="#e8c074",
    error="#ec8585",
    dark=True,
    variables={
        "text-muted": "#8d97a5",
        "text-disabled": "#5a6472",
        "border": "#3f8f73",
        "border-blurred": "#2b323d",
        "footer-key-foreground": "#7fd1ae",
        "footer-background": "#12151a",
        "footer-description-foreground": "#8b95a3",
        "input-selection-background": "#7fd1ae 30%",
        "block-cursor-background": "#2c5446",
        "block-cursor-foreground": "#eef5f1",
        "block-cursor-text-style": "none",
        "markdown-h1-color": "#7fd1ae",
        "markdown-h2-color": "#7fd1ae",
        "markdown-h3-color": "#8aa9e0",
        "scrollbar": "#2b323d",
        "scrollbar-background": "#12151a",
        "scrollbar-hover": "#3a4350",
        "scrollbar-active": "#7fd1ae",
    },
)

LIGHT = Theme(
    name="playground-light",
    primary="#1c7556",
    secondary="#35588f",
    accent="#a8540f",
    foreground="#262a2e",
    background="#fbfaf7",
    surface="#f2f0ea",
    panel="#e7e3da",
    success="#2c7a3f",
    warning="#8a6100",
    error="#b3363a",
    dark=False,
    variables={
        "text-muted": "#62676c",
        "text-disabled": "#a09a8c",
        "border": "#1c7556",
        "border-blurred": "#d5cfc2",
        "footer-key-foreground": "#1c7556",
        "footer-background": "#fbfaf7",
        "footer-description-foreground": "#6b6f73",
        "input-selection-background": "#1c7556 25%",
        "block-cursor-background": "#cfe5da",
        "block-cursor-foreground": "#14382b",
        "block-cursor-text-style": "none",
        "markdown-h1-color": "#1c7556",
        "markdown-h2-color": "#1c7556",
        "markdown-h3-color": "#35588f",
        "scrollbar": "#d5cfc2",
        "scrollbar-background": "#fbfaf7",
        "scrollbar-hover": "#bdb5a4",
        "scrollbar-active": "#1c7556",
    },
)

HIGH_CONTRAST = Theme(
    name="playground-high-contrast",
    primary="#5cffff",
    secondary="#b0c8ff",
    accent="#ffff55",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#202020",
    success="#66ff66",
    warning="#ffff55",
    error="#ff8080",
    dark=True,
    text_alpha=1.0,
    variables={
        "text-muted": "#e0e0e0",
        "text-disabled": "#c8c8c8",
        "border": "#ffffff",
        "border-blurred": "#b0b0b0",
        "footer-key-foreground": "#ffff55",
        "footer-background": "#000000",
        "footer-description-foreground": "#ffffff",
        "input-selection-background": "#0057d8",
        "input-selection-foreground": "#ffffff",
        "block-cursor-background": "#ffff55",
        "block-cursor-foreground": "#000000",
        "block-cursor-text-style": "bold",
        "scrollbar": "#b0b0b0",
        "scrollbar-background": "#000000",
        "scrollbar-hover": "#ffffff",
        "scrollbar-active": "#ffff55",
    },
)

TERMINAL = Theme(
    name="playground-terminal",
    primary="ansi_cyan",
    secondary="ansi_blue",
    accent="ansi_yellow",
    warning="ansi_yellow",
    error="ansi_red",
    success="ansi_green",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    dark=True,
    ansi=True,
    variables={
        "ansi-background": "ansi_black",
        "text-muted": "ansi_default",
        "text-disabled": "ansi_bright_black",
        "border": "ansi_cyan",
        "border-blurred": "ansi_bright_black",
        "block-cursor-background": "ansi_cyan",
        "block-cursor-foreground": "ansi_black",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "ansi_default",
        "block-cursor-blurred-foreground": "ansi_default",
        "footer-key-foreground": "ansi_cyan",
    },
)


def sixteen_colours(environ: Mapping[str, str]) -> bool:
    """Whether the terminal says that it has no more than its sixteen named colours."""
    term = environ.get("TERM", "").lower()
    rich = environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") or term.endswith(
        ("256color", "direct", "kitty")
    )
    return bool(term) and not rich and "TEXTUAL_COLOR_SYSTEM" not in environ


OURS = (DARK, LIGHT, HIGH_CONTRAST, TERMINAL)
DEFAULT = DARK.name
