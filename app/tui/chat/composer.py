"""Where the prompt is written."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets.text_area import Selection

from app.tui.voice.spoken_into import SpokenInto

from .commands import offered
from .history import PromptHistory
from .pasted import PastedTexts

MOST_HIGHLIGHTED = 20_000
"""Characters up to which Markdown is highlighted: beyond, the parser would be felt in every key."""


class Composer(SpokenInto):
    """A text field of several lines that grows with its text. Enter sends, a backslash before it breaks the line."""

    HELP = """\
Write Markdown; **Enter** sends it. A new line: the key below, or Shift, Ctrl or Alt with Enter where the terminal
tells them apart, or a backslash at the end of the line and then Enter. **Up** and **Down** at the first and last line
walk through earlier prompts. A line that begins with `/` is a command. A long paste is shown as a short mark and sent
whole.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Send", key_display="⏎", id="composer.send"),
        Binding("ctrl+o,shift+enter,ctrl+enter,alt+enter", "new_line", "New line", show=False, id="composer.new_line"),
        Binding("ctrl+g", "edit", "Editor", show=False, id="composer.editor"),
        Binding("tab", "complete", "Complete", show=False, id="composer.complete"),
    ]

    class Sent(Message):
        """Enter was pressed on a prompt; ``text`` is whole, long pastes included."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class EditorWanted(Message):
        """The prompt should be opened in the person's own editor."""

    class CompletionMoved(Message):
        """Up, down, or tab while commands are offered: -1, 1, or 0 to take one."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

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
        text = self._pasted.mark(event.text.replace("\r\n", "\n").replace("\r", "\n"))
        result = self._replace_via_keyboard(text, *self.selection)
        if result is not None:
            self.move_cursor(result.end_location)
        self.focus()

    def action_send(self) -> None:
        """Sends the prompt, or breaks the line after a backslash."""
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
            # Emptied at once: what is typed from now on belongs to the next prompt.
            self.put("")
            self.post_message(self.Sent(prompt))

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
        if self.offering:
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
        if self.offering:
            self.post_message(self.CompletionMoved(-1))
        elif not select and self._screen_row() == 0 and (older := self.prompts.older(self.prompt)) is not None:
            self.put(older)
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """Moves down; on the last line, to the prompt after."""
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
