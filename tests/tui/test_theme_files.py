"""Themes of the person's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.theme import BUILTIN_THEMES, Theme

from app.tui import themes
from app.tui.app import PlaygroundApp
from app.tui.blog.painted_markdown import MarkdownPainter
from app.tui.theme_files import MOST_BYTES, read_themes

from .conftest import until

Make = Callable[..., PlaygroundApp]
TAKEN = {theme.name for theme in themes.OURS}

FOREST = """
base = "dark"
primary = "#a3be8c"
background = "#1d2021"

[variables]
text-muted = "#8a8f7a"
markdown-h1-text-style = "bold underline"
input-selection-background = "#a3be8c 40%"
"""


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder


def test_a_file_says_what_differs_from_one_of_ours(tmp_path: Path) -> None:
    (forest,), wrong = read_themes(write(tmp_path, "forest.toml", FOREST), TAKEN)
    assert not wrong
    assert (forest.name, forest.primary, forest.secondary) == ("forest", "#a3be8c", themes.DARK.secondary)
    assert forest.variables["text-muted"] == "#8a8f7a"
    # What is a colour of the base there is the same colour here.
    assert forest.variables["footer-background"] == "#1d2021"
    assert forest.variables["footer-key-foreground"] == "#a3be8c"
    assert forest.variables["border-blurred"] == themes.DARK.variables["border-blurred"]


def test_a_light_one_needs_no_base(tmp_path: Path) -> None:
    (paper,), _ = read_themes(write(tmp_path, "paper.toml", "dark = false\n"), TAKEN)
    assert (paper.dark, paper.background) == (False, themes.LIGHT.background)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.toml", "primary = ", "it is not TOML"),
        ("a.toml", 'primary = "gren"', "primary is 'gren'; expected a colour"),
        ("a.toml", "primary = 3", "primary is of the wrong kind: int"),
        ("a.toml", 'primry = "red"', "there is no key 'primry'"),
        ("a.toml", 'base = "nord"', "expected one of dark, light, high-contrast, terminal"),
        ("a.toml", '[variables]\ntext-mute = "red"', "there is no variable 'text-mute'"),
        ("a.toml", '[variables]\nborder = "1px } Screen {"', "border is"),
        ("a.toml", '[variables]\nlink-style = "blinking"', "link-style is 'blinking'"),
        ("a.toml", "#" * (MOST_BYTES + 1), "larger than"),
        ("playground-dark.toml", "", "there is a theme of that name"),
        ("My Theme.toml", "", "small letters"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, name: str, text: str, said: str) -> None:
    write(tmp_path, "good.toml", "")
    found, (error,) = read_themes(write(tmp_path, name, text), TAKEN)
    assert [theme.name for theme in found] == ["good"]
    assert name in error.message
    assert said in error.message


def test_without_a_folder_there_are_none(tmp_path: Path) -> None:
    assert read_themes(tmp_path / "themes", TAKEN) == ([], [])


async def test_the_settings_name_one_and_a_wrong_one_is_only_said(make_app: Make, tmp_path: Path) -> None:
    folder = write(tmp_path / "config" / "themes", "forest.toml", FOREST)
    write(folder, "broken.toml", "primary = ")
    app = make_app(theme="forest")
    async with app.run_test() as pilot:
        assert app.theme == "forest"
        await until(lambda: any("broken.toml: it is not TOML" in note.message for note in app._notifications))
        await pilot.pause()
        app.use_theme("light")
        await pilot.pause()
        app.use_theme("forest")
        await pilot.pause()
        assert app.screen.styles.background.hex == "#1D2021"
        app.use_theme("nowhere")
        await until(lambda: any("Yours: forest." in note.message for note in app._notifications))
    again = make_app(theme="dark")
    async with again.run_test():
        assert again.theme == "forest"


@pytest.mark.parametrize("theme", [*themes.OURS, *BUILTIN_THEMES.values()], ids=lambda theme: theme.name)
def test_markdown_can_be_painted_in_every_theme(theme: Theme) -> None:
    painter = MarkdownPainter(theme.to_color_system().generate())
    assert painter.lines("# Head\n\n> quoted `code`", 40)
