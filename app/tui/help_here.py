"""The help for the part of the screen that has the keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from textual.app import App
from textual.dom import DOMNode

from .dialogs.help_screen import HelpScreen
from .key_line import KeyLine


def help_here(app: App[Any], part: DOMNode) -> HelpScreen:
    """What ``part`` and those around it say of themselves, nearest first, and the keys that have a name."""
    texts: list[str] = []
    node: DOMNode | None = part
    while node is not None:
        text = getattr(node, "HELP", None)
        if isinstance(text, str) and text and text.strip() not in texts:
            texts.append(text.strip())
        node = node.parent
    return HelpScreen(texts, _keys(app))


def _keys(app: App[Any]) -> list[KeyLine]:
    """Every key that has a name, nearest first: those that would do something now, and those that would not."""
    lines: dict[str, KeyLine] = {}
    for node, bindings in app.screen._modal_binding_chain:
        for _, binding in bindings:
            if not binding.id or not binding.description:
                continue
            display = app.get_key_display(binding)
            known = lines.get(binding.id)
            if known is None:
                now = app._check_action_state(binding.action, node) is not False
                lines[binding.id] = KeyLine((display,), binding.description, binding.id, now, node is app)
            elif display not in known.displays:
                lines[binding.id] = replace(known, displays=(*known.displays, display))
    return list(lines.values())
