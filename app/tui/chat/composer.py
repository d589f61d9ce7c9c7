"""Where the prompt is written."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets.text_area import Selection

from app.chat.attaching.mentions import Mention, begun, mentions, pasted_path, written
from app.tui.voice.spoken_into import SpokenInto

from .commands import offered
from .history import PromptHistory
from .pasted import PastedTexts

MOST_HIGHLIGHTED = 20_000
"""Characters up to which Markdown is highlighted: beyond, the parser would be felt in every key."""

MOST_OF_A_PATH = 500
"""Characters before the cursor in which the beginning of a path is looked for."""

_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp")


class Composer(SpokenInto):
    """A text field of several lines that grows with its text. Enter sends, a backslash before it breaks the line."""

    HELP = """\
Write Markdown; **Enter** sends it. A new line: the key below, or Shift, Ctrl or Alt with Enter where the terminal
tells them apart, or a backslash at the end of the line and then Enter. **Up** and **Down** at the first and last line
walk through earlier prompts. A line that begins with `/` is a command. `@` and a few letters find a file that goes with
the prompt; a picture goes with it when its path is pasted or dropped here. A long paste is shown as a short mark and
sent whole.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Send", key_display="⏎", id="composer.send"),
        Binding("ctrl+o,shift+enter,ctrl+enter,alt+enter", "new_line", "New line", show=False, id="composer.new_line"),
        Binding("ctrl+g", "edit", "Editor", show=False, id="composer.editor"),
        Binding("tab", "complete", "Complete", show=False, id="composer.complete"),
        Binding("escape", "close_files", "Close the list", key_display="esc", id="composer.close_files"),
    ]

    class Sent(Message):
        """Enter was pressed on a prompt; ``text`` is whole, long pastes included.

        ``mentions`` are those that could be seen: what stands within a long paste attaches nothing.
        """

        def __init__(self, text: str, mentions: tuple[Mention, ...] = ()) -> None:
            super().__init__()
            self.text, self.mentions = text, mentions

    class EditorWanted(Message):
        """The prompt should be opened in the person's own editor."""

    class CompletionMoved(Message):
        """Up, down, or tab while commands are offered: -1, 1, or 0 to take one."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    class PathTyped(Message):
        """What of a path stands between an ``@`` and the cursor; ``None``: the cursor is in no path any more."""

        def __init__(self, path: str | None) -> None:
            super().__init__()
            self.path = path

    class PickMoved(Message):
        """Up, down, or the key that takes one while files are offered: -1, 1, or 0."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    class PathPasted(Message):
        """``text`` was pasted, which may be ``path``, the path of a picture."""

        def __init__(self, text: str, path: str) -> None:
            super().__init__()
            self.text, self.path = text, path

    def __init__(self) -> None:
        super().__init__(
            id="composer",
            soft_wrap=True,
            show_line_numbers=False,
            tab_behavior="focus",
            placeholder="Ask anything, or type / for commands",
            highlight_cursor_line=False,
            compact=True,
        )
        self.prompts = PromptHistory()
        self.offering = False
        self.picking = False
        self._path: str | None = None
        self._pasted = PastedTexts()
        self._may_highlight = False

    @property
    def prompt(self) -> str:
        """The whole text, long pastes included."""
        return self._pasted.expand(self.text)

    def put(self, text: str) -> None:
        """Replaces what is there, with the cursor at the end."""
        self.show_spoken("")
        self._pasted = PastedTexts()
        self.load_text(self._pasted.mark(text))
        self.move_cursor(self.document.end)

    def highlight_markdown(self) -> None:
        """Switches highlighting on; called after the first paint, because its parser takes time to import."""
        self._may_highlight = True
        self._fit_language()

    def _fit_language(self) -> None:
        wanted = "markdown" if self._may_highlight and len(self.text) <= MOST_HIGHLIGHTED else None
        if wanted != self.language:
            selection: Selection = self.selection
            self.language = wanted
            self.selection = selection

    def on_text_area_changed(self) -> None:
        """Plain text once it is long."""
        self._fit_language()
        self._follow_path()

    def on_text_area_selection_changed(self) -> None:
        """The cursor may have come into a path, or have left it."""
        self._follow_path()

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """Every path that is mentioned where it can be seen."""
        return mentions(self.text) if "@" in self.text else ()

    def _begun(self) -> tuple[int, str] | None:
        """Where the path before the cursor begins, and what there is of it."""
        if not self.selection.is_empty:
            return None
        row, column = self.cursor_location
        first = max(0, column - MOST_OF_A_PATH)
        found = begun(self.document.get_line(row)[first:column])
        return None if found is None else (found[0] + first, found[1])

    def _follow_path(self) -> None:
        found = self._begun()
        path = None if found is None else found[1]
        if path != self._path:
            self._path = path
            self.post_message(self.PathTyped(path))

    def offer_files(self, offered: bool) -> None:
        """Gives the keys that choose among files to those who offer some."""
        if offered != self.picking:
            self.picking = offered
            self.refresh_bindings()

    def take_path(self, path: str) -> None:
        """Puts a path in the place of what was typed of it; a folder's can be gone on with at once."""
        found = self._begun()
        if found is None:
            return
        row, column = self.cursor_location
        mention = written(path)
        if path.endswith("/"):
            mention = mention.removesuffix('"')
        elif not self.document.get_line(row)[column : column + 1].isspace():
            mention += " "
        edited = self.replace(mention, (row, found[0]), (row, column), maintain_selection_offset=False)
        self.move_cursor(edited.end_location)

    def mention_instead(self, text: str, path: str) -> bool:
        """Puts a mention in the place of a text that stands before the cursor; whether it still does."""
        row, column = self.cursor_location
        start = column - len(text)
        line = self.document.get_line(row)
        if start < 0 or line[start:column] != text or line[max(0, start - 1) : start].strip():
            return False
        edited = self.replace(f"{written(path)} ", (row, start), (row, column), maintain_selection_offset=False)
        self.move_cursor(edited.end_location)
        return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A list that is not there cannot be closed."""
        return self.picking if action == "close_files" else super().check_action(action, parameters)

    def action_close_files(self) -> None:
        """Closes the list of files; what is written stays."""
        self.post_message(self.PathTyped(None))

    async def _on_key(self, event: events.Key) -> None:
        if event.key.startswith("alt+"):
            # A key of ours that has nothing to do just now is no letter of the prompt.
            event.prevent_default()
            return
        if event.is_printable or event.key in ("backspace", "delete"):
            self.prompts.leave()
        active = self.screen.active_bindings.get(event.key)
        if active is None or active.node is not self or event.is_printable:
            return
        # Left to the framework, a binding runs after the event has risen to the application, and letters that were
        # typed behind it are in the text before it: an Enter would send what was meant for the next prompt.
        # A key that finds nothing to do here rises: Ctrl+C with nothing marked stops the answer, or leaves.
        if not active.enabled or await self.app.run_action(active.binding.action, self):
            event.prevent_default()
            event.stop()

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        pasted = event.text.replace("\r\n", "\n").replace("\r", "\n")
        path = pasted_path(pasted) if len(pasted) < MOST_OF_A_PATH * 8 else None
        if path is not None and path.lower().endswith(_PICTURES):
            pasted = pasted.strip()
            self.post_message(self.PathPasted(pasted, path))
        text = self._pasted.mark(pasted)
        result = self._replace_via_keyboard(text, *self.selection)
        if result is not None:
            self.move_cursor(result.end_location)
        self.focus()

    def action_send(self) -> None:
        """Sends the prompt, or breaks the line after a backslash."""
        if self.picking and self._begun() is not None:
            self.post_message(self.PickMoved(0))
            return
        # What is offered follows the text a moment later; a line that has gone on meanwhile is sent as it is.
        if self.offering and offered(self.text):
            self.post_message(self.CompletionMoved(0))
            return
        row, column = self.cursor_location
        if column and self.selection.is_empty and self.document.get_line(row)[:column].endswith("\\"):
            self.replace("\n", (row, column - 1), (row, column), maintain_selection_offset=False)
            self.move_cursor((row + 1, 0))
            return
        prompt = self.prompt
        if prompt.strip():
            mentioned = self.mentions
            # Emptied at once: what is typed from now on belongs to the next prompt.
            self.put("")
            self.post_message(self.Sent(prompt, mentioned))

    def give_back(self, prompt: str) -> None:
        """Puts back a prompt that could not be taken, before what was typed since."""
        since = self.prompt
        self.put(f"{prompt}\n{since}" if since else prompt)

    def action_new_line(self) -> None:
        """Breaks the line."""
        self._replace_via_keyboard("\n", *self.selection)

    def action_edit(self) -> None:
        """Asks for the editor."""
        self.post_message(self.EditorWanted())

    def action_complete(self) -> None:
        """Takes the offered command, or moves on as Tab does elsewhere."""
        if self.picking:
            self.post_message(self.PickMoved(0))
        elif self.offering:
            self.post_message(self.CompletionMoved(0))
        else:
            self.screen.focus_next()

    def action_delete_left(self) -> None:
        """Deletes a character, or a mark of pasted text as one thing."""
        row, column = self.cursor_location
        length = self._pasted.mark_before(self.document.get_line(row)[:column])
        if length and self.selection.is_empty:
            self.delete((row, column - length), (row, column))
        else:
            super().action_delete_left()

    def action_cursor_up(self, select: bool = False) -> None:
        """Moves up; on the first line, to the prompt before."""
        if self.picking:
            self.post_message(self.PickMoved(-1))
        elif self.offering:
            self.post_message(self.CompletionMoved(-1))
        elif not select and self._screen_row() == 0 and (older := self.prompts.older(self.prompt)) is not None:
            self.put(older)
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """Moves down; on the last line, to the prompt after."""
        if self.picking:
            self.post_message(self.PickMoved(1))
            return
        if self.offering:
            self.post_message(self.CompletionMoved(1))
            return
        at_end = self._screen_row() == self.wrapped_document.height - 1
        if not select and at_end and (newer := self.prompts.newer()) is not None:
            self.put(newer)
        else:
            super().action_cursor_down(select)

    def _screen_row(self) -> int:
        return self.wrapped_document.location_to_offset(self.cursor_location).y
