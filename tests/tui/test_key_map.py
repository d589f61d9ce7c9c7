"""Keys as the person moved them."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding
from textual.dom import DOMNode

from app.tui.key_map import KeyMap
from app.tui.key_names import short_name


class Outer(DOMNode):
    BINDINGS: ClassVar = [Binding("f5", "go", "Go", id="outer.go"), Binding("x", "cut", "Cut", id="both.cut")]


class Inner(DOMNode):
    BINDINGS: ClassVar = [Binding("y", "cut", "Cut", id="both.cut"), Binding("z", "nameless", "Nameless")]


def parts() -> tuple[Outer, Inner]:
    outer, inner = Outer(), Inner()
    inner._attach(outer)
    return outer, inner


def test_the_nearest_key_of_a_name_counts_where_it_lies_now() -> None:
    _, inner = parts()
    keys = KeyMap({"outer.go": " f4 ,f3", "both.cut": "no such"}, lambda *_, **__: None).by_id(inner)
    assert {name: binding.key for name, binding in keys.items()} == {"both.cut": "y", "outer.go": "f4"}


def test_what_is_no_key_and_what_has_no_name_is_said() -> None:
    said: list[tuple[str, Any]] = []
    keys = KeyMap({"outer.go": "crtl+s", "outer.gone": "f4"}, lambda words, **options: said.append((words, options)))
    keys.warn(parts())
    (wrong, _), (unknown, options) = said
    assert wrong.startswith("outer.go = 'crtl+s' is no key")
    assert unknown.startswith("No key is called outer.gone;") and options["markup"] is False
    assert keys.moved == {"outer.gone": "f4"}


def test_short_names() -> None:
    assert [short_name(key) for key in ("enter", "f12", "f", "ctrl+s", "find")] == ["⏎", "F12", "", "", ""]
