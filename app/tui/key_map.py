"""The keys by their names: where each lies now that the person may have moved it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from textual.binding import Binding
from textual.dom import DOMNode

from .key_names import is_key
from .reporter import Notify


class KeyMap:
    """Knows every key by its name.

    Args:
        chosen: the name of a key to the keys that the person gave it, separated by commas.
        notify: shows a toast.

    Attributes:
        moved: those of ``chosen`` that are keys.
    """

    def __init__(self, chosen: Mapping[str, str], notify: Notify) -> None:
        self._no_keys = {name: keys for name, keys in chosen.items() if not all(map(is_key, _each(keys)))}
        self.moved = {name: ",".join(_each(keys)) for name, keys in chosen.items() if name not in self._no_keys}
        self._notify = notify

    def by_id(self, node: DOMNode) -> dict[str, Binding]:
        """The bindings of a node and of those around it, nearest first, by id."""
        found: dict[str, Binding] = {}
        for binding_id, binding in self._named([node, *node.ancestors]):
            found.setdefault(binding_id, binding)
        return found

    def warn(self, nodes: Iterable[DOMNode]) -> None:
        """Says which names no key of ``nodes`` has, and what there is no key; that stays where it was."""
        for name, keys in sorted(self._no_keys.items()):
            self._notify(
                f"{name} = {keys!r} is no key; write it as ctrl+s, alt+up, f4 or question_mark.",
                title="Unknown keys in the settings",
                severity="warning",
                markup=False,
            )
        chosen = {*self.moved, *self._no_keys}
        unknown = sorted(chosen - {name for name, _ in self._named(nodes)})
        if unknown:
            self._notify(
                f"No key is called {', '.join(unknown)}; the help shows the names.",
                title="Unknown key names in the settings",
                severity="warning",
                markup=False,
            )

    def _named(self, nodes: Iterable[DOMNode]) -> Iterator[tuple[str, Binding]]:
        for node in nodes:
            for bindings in node._bindings.key_to_bindings.values():
                for binding in bindings:
                    if binding.id:
                        moved = self.moved.get(binding.id)
                        yield binding.id, binding.with_key(moved.split(",")[0]) if moved else binding


def _each(keys: str) -> list[str]:
    return [key.strip() for key in keys.split(",")]
