"""The keys by their names: where each lies, how it is written, and the help that lists them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from textual.binding import Binding
from textual.dom import DOMNode

from .face import Face
from .key_line import KeyLine
from .key_names import is_key


class KeyedFace(Face):
    """Knows every key by its name, as the person moved it.

    Args:
        keymap: the name of a key to the keys that the person gave it, separated by commas.
    """

    def __init__(self, keymap: Mapping[str, str]) -> None:
        super().__init__()
        self._no_keys = {name: keys for name, keys in keymap.items() if not all(map(is_key, _each(keys)))}
        self._moved_keys = {name: ",".join(_each(keys)) for name, keys in keymap.items() if name not in self._no_keys}

    def apply_keys(self) -> None:
        """Takes the person's keys."""
        if self._moved_keys:
            self.set_keymap(self._moved_keys)

    def warn_of_unknown_keys(self) -> None:
        """Says which names in the settings no key has, and what there is no key; that stays where it was."""
        for name, keys in sorted(self._no_keys.items()):
            self.notify(
                f"{name} = {keys!r} is no key; write it as ctrl+s, alt+up, f4 or question_mark.",
                title="Unknown keys in the settings",
                severity="warning",
                markup=False,
            )
        named = {*self._moved_keys, *self._no_keys}
        unknown = sorted(named - {name for name, _ in self._binding_ids()})
        if unknown:
            self.notify(
                f"No key is called {', '.join(unknown)}; the help shows the names.",
                title="Unknown key names in the settings",
                severity="warning",
                markup=False,
            )

    def keys_by_id(self, node: DOMNode) -> dict[str, Binding]:
        """The bindings of a node and of those around it, nearest first, by id."""
        found: dict[str, Binding] = {}
        for binding_id, binding in self._binding_ids(node):
            found.setdefault(binding_id, binding)
        return found

    def _binding_ids(self, node: DOMNode | None = None) -> Iterator[tuple[str, Binding]]:
        nodes: Iterable[DOMNode] = (
            [node, *node.ancestors] if node is not None else [self, *self.screen.walk_children(with_self=True)]
        )
        for owner in nodes:
            for binding in owner._bindings.key_to_bindings.values():
                for one in binding:
                    if one.id:
                        moved = self._moved_keys.get(one.id)
                        yield one.id, one.with_key(moved.split(",")[0]) if moved else one

    def get_key_display(self, binding: Binding) -> str:
        """Short names: ``^r``, ``F1``, ``⏎``."""
        if binding.key == "enter":
            return "⏎"
        if binding.key[:1] == "f" and binding.key[1:].isdecimal():
            return binding.key.upper()
        return super().get_key_display(binding)

    def action_help(self) -> None:
        """Shows what the focused part is for, and its keys."""
        from .dialogs.help_screen import HelpScreen

        if len(self.screen_stack) > 1:
            return
        texts: list[str] = []
        node: DOMNode | None = self.focused or self.query_one("#panes")
        while node is not None:
            text = getattr(node, "HELP", None)
            if isinstance(text, str) and text and text.strip() not in texts:
                texts.append(text.strip())
            node = node.parent
        self.push_screen(HelpScreen(texts, self._listed_keys()))

    def _listed_keys(self) -> list[KeyLine]:
        """Every key that has a name, nearest first: those that would do something now, and those that would not."""
        lines: dict[str, KeyLine] = {}
        for node, bindings in self.screen._modal_binding_chain:
            for _, binding in bindings:
                if not binding.id or not binding.description:
                    continue
                display = self.get_key_display(binding)
                known = lines.get(binding.id)
                if known is None:
                    now = self._check_action_state(binding.action, node) is not False
                    lines[binding.id] = KeyLine((display,), binding.description, binding.id, now, node is self)
                elif display not in known.displays:
                    lines[binding.id] = replace(known, displays=(*known.displays, display))
        return list(lines.values())


def _each(keys: str) -> list[str]:
    return [key.strip() for key in keys.split(",")]
