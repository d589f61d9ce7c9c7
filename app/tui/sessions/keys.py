"""The keys of the pane, and which of them would do something here and now."""

from __future__ import annotations

from textual.binding import Binding, BindingType

KEYS: tuple[BindingType, ...] = (
    Binding("enter", "open", "Open", id="sessions.open"),
    Binding("slash", "search", "Search", key_display="/", id="sessions.search"),
    Binding("o", "turn", "Other words", id="sessions.other_words"),
    Binding("b", "restore", "Bring back", id="sessions.restore"),
    Binding("p", "pin", "Pin", id="sessions.pin"),
    Binding("t", "tag", "Tag", id="sessions.tag"),
    Binding("r", "rename", "Rename", id="sessions.rename"),
    Binding("a", "archive", "Archive", id="sessions.archive"),
    Binding("d,delete", "delete", "Delete", id="sessions.delete"),
    Binding("d,delete", "purge", "Delete for good", id="sessions.purge"),
    Binding("u", "undo", "Undo", id="sessions.undo"),
    Binding("e", "export", "Export", id="sessions.export"),
    Binding("i", "import", "Import", id="sessions.import"),
    Binding("tab", "shelf(1)", "Next shelf", id="sessions.next_shelf"),
    Binding("shift+tab", "shelf(-1)", "Previous shelf", show=False, id="sessions.previous_shelf"),
    Binding("n", "new", "New", id="sessions.new"),
    Binding("escape", "leave_search", "All", key_display="esc", id="sessions.leave_search"),
)

_ON_CHOSEN = frozenset({"open", "pin", "tag", "rename", "archive", "delete", "export", "restore", "purge"})
_IN_BIN = frozenset({"restore", "purge"})
_OUT_OF_BIN = frozenset({"open", "pin", "tag", "rename", "archive", "delete"})
_IN_VAULT = _ON_CHOSEN | {"undo", "import", "shelf", "search", "leave_search", "turn"}


def is_offered(
    action: str,
    *,
    vault_open: bool,
    in_bin: bool,
    chosen: bool,
    can_undo: bool,
    typing: bool,
    words: bool,
    other_words: bool,
) -> bool:
    """Whether the key of ``action`` would do something.

    Args:
        action: its name.
        vault_open: whether the vault can be read.
        in_bin: whether the bin is shown.
        chosen: whether a conversation is chosen.
        can_undo: whether something was put away that can be brought back.
        typing: whether the field has the keys.
        words: whether something is looked for.
        other_words: whether hits of both kinds are shown.
    """
    if not vault_open:
        return action not in _IN_VAULT
    if (action in _IN_BIN and not in_bin) or (action in _OUT_OF_BIN and in_bin):
        return False
    if action in _ON_CHOSEN:
        return chosen
    return {"undo": can_undo, "search": not typing, "leave_search": words, "turn": other_words}.get(action, True)
