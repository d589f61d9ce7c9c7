"""The conversation as a scroll of messages, of which only those near the reader exist as widgets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from app.chat import Conversation
from app.messages import Node

from .sliding_views import SlidingViews

if TYPE_CHECKING:
    from app.memory.recall import Recalled

    from .message_view import AnswerView, MessageView
    from .recalled_view import RecalledView


class Transcript(VerticalScroll):
    """Follows the answer while the reader is at its end, and otherwise never moves by itself.

    Message ten thousand costs what the first one cost: a window of at most ``MOST`` messages is mounted, and slides
    when the reader comes near its edge, with the scroll position corrected before anything is painted.
    """

    HELP = """\
The conversation. **Up** and **Down** choose a message; the keys below then act on that one. Scroll with the mouse,
Page Up and Page Down; the view follows the answer only while you are at its end.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose(-1)", "Previous", show=False, id="transcript.previous"),
        Binding("down,j", "choose(1)", "Next", show=False, id="transcript.next"),
        Binding("c", "pane('copy_message')", "Copy", id="transcript.copy"),
        Binding("b", "pane('copy_code')", "Code block", id="transcript.copy_code"),
        Binding("e", "pane('edit_message')", "Edit", id="transcript.edit"),
        Binding("r", "pane('regenerate')", "Again", id="transcript.regenerate"),
        Binding(
            "left,left_square_bracket", "pane('version(-1)')", "Version", show=False, id="transcript.older_version"
        ),
        Binding(
            "right,right_square_bracket", "pane('version(1)')", "Version", show=False, id="transcript.newer_version"
        ),
        Binding("t", "pane('toggle_thinking')", "Thoughts", show=False, id="transcript.thoughts"),
        Binding("m", "pane('recalled')", "Recalled", show=False, id="transcript.recalled"),
        Binding("d", "pane('roll_back')", "Roll back", show=False, id="transcript.roll_back"),
        Binding("g", "top", "Top", show=False, id="transcript.top"),
        Binding("G,end", "bottom", "Bottom", show=False, id="transcript.bottom"),
        Binding("i,enter", "pane('focus_composer')", "Write", id="transcript.write"),
    ]

    def __init__(self, conversation: Callable[[], Conversation], *, filtered: bool = False) -> None:
        super().__init__(id="transcript")
        self._filtered = filtered
        self._conversation = conversation
        self._sliding = SlidingViews(
            self, lambda: conversation().path(), self._make, lambda: self.following, self._mark_chosen
        )
        self._chosen: str | None = None
        self._recalled: dict[str, tuple[Recalled, ...]] = {}

    @property
    def following(self) -> bool:
        """Whether the view keeps to the end of the answer."""
        return not self._anchor_released

    @property
    def chosen(self) -> str | None:
        """The id of the message that keys act on: the selected one, else the last."""
        messages = self._sliding.messages
        if self._chosen is not None and any(node.id == self._chosen for node in messages):
            return self._chosen
        return messages[-1].id if messages else None

    def view(self, node_id: str) -> MessageView | None:
        """The widget of a message, when it is mounted."""
        return self._sliding.of(node_id)

    def answer_view(self, node_id: str) -> AnswerView | None:
        """The widget of an answer, when it is mounted."""
        from .message_view import AnswerView

        view = self.view(node_id)
        return view if isinstance(view, AnswerView) else None

    async def show(self) -> None:
        """Brings the widgets in line with the conversation's shown path; unchanged messages keep theirs."""
        conversation = self._conversation()
        self._recalled = {key: found for key, found in self._recalled.items() if key in conversation}
        await self._sliding.show()
        if self.following:
            self.anchor()

    async def show_recalled(self, node_id: str, passages: Sequence[Recalled]) -> None:
        """Says above an answer what was recalled for it; none takes that away. It stays when the reader scrolls."""
        self._recalled[node_id] = tuple(passages)
        view = self.answer_view(node_id)
        if view is not None:
            await view.show_recalled(passages)
        self.refresh_bindings()

    def know_recalled(self, recalled: Mapping[str, tuple[Recalled, ...]]) -> None:
        """What was recalled for the answers of a conversation that is about to be shown."""
        self._recalled = dict(recalled)

    def recalled_view(self) -> RecalledView | None:
        """What was recalled for the chosen answer; without a choice, for the last for which anything was."""
        if not any(self._recalled.values()):
            return None
        from .recalled_view import RecalledView

        chosen = self.view(self._chosen) if self._chosen is not None else None
        views = [chosen] if chosen is not None else reversed(self._sliding.views)
        return next((found for view in views for found in view.query(RecalledView)), None)

    async def refresh_view(self, node_id: str) -> None:
        """Builds one message again, as when its versions changed."""
        await self._sliding.renew(self._conversation().node(node_id))

    async def toggle_original(self) -> bool:
        """Shows the chosen answer, or the last, whole or without what the content filter leaves out.

        Returns whether there was anything to show: false when nothing was left out of it.
        """
        from .message_view import AnswerView

        chosen = self.view(self.chosen or "")
        views = (
            [chosen]
            if isinstance(chosen, AnswerView)
            else [v for v in reversed(self._sliding.views) if v.node.message.text]
        )
        for view in views:
            if isinstance(view, AnswerView):
                return await view.toggle_original()
        return False

    def to_end(self) -> None:
        """Shows the end, and follows it from now on."""
        self._chosen = None
        self._mark_chosen()
        self.anchor()
        self._anchor_released = False
        if not self._sliding.at_end:
            self.call_later(self._mount_end)

    async def _mount_end(self) -> None:
        await self._sliding.to_end()
        self.anchor()
        self._anchor_released = False

    async def let_rest(self) -> None:
        """Lets answers rest where they are more than one view above the reader, and wakes them where they are not."""
        from .message_view import AnswerView

        if self.screen.selections or self._sliding.moving:
            return
        for view in self._sliding.views:
            if isinstance(view, AnswerView) and view.is_mounted:
                await view.rest_above(self.scroll_y - self.size.height)

    def scroll_page(self, direction: int) -> None:
        """Scrolls by a page, as when the keys are not its own."""
        if direction < 0:
            self.scroll_page_up(animate=False)
        elif not self.following:
            # There is nothing below the end that is being followed, wherever it is going to be when this is painted.
            self.scroll_page_down(animate=False)

    async def action_pane(self, action: str) -> None:
        """Asks the pane, which holds the conversation, to do something with the chosen message."""
        parent = self.parent
        if parent is not None:
            await self.app.run_action(action, parent)

    def action_bottom(self) -> None:
        """Shows the end."""
        self.to_end()

    def action_top(self) -> None:
        """Scrolls to the first message that is mounted; more come as one arrives there."""
        self.scroll_home(animate=False)

    def action_choose(self, step: int) -> None:
        """Selects the message before or after."""
        ids = [node.id for node in self._sliding.messages]
        if not ids:
            return
        place = ids.index(self._chosen) + step if self._chosen in ids else len(ids) - 1
        place = max(self._sliding.first, min(len(ids) - 1, place))
        self.choose(ids[place])

    async def reveal(self, node_id: str) -> None:
        """Goes to a message wherever it is in the conversation, and selects it."""
        if not any(node.id == node_id for node in self._sliding.messages):
            return
        self.release_anchor()
        self._anchor_released = True
        await self._sliding.to(node_id)
        self.call_after_refresh(self.choose, node_id)

    def choose(self, node_id: str) -> None:
        """Selects a message and scrolls it into view."""
        self._chosen = node_id
        self._mark_chosen()
        view = self.view(node_id)
        if view is not None:
            self.scroll_to_widget(view, animate=False)

    def _mark_chosen(self) -> None:
        for view in self._sliding.views:
            view.set_class(view.node.id == self._chosen, "-chosen")

    def release_anchor(self) -> None:
        """Stops following, unless the scroll that asked for it leaves the view at the end."""
        # The end is where it was when the scroll was asked for: an answer that streams moves it on meanwhile.
        end = self.max_scroll_y
        super().release_anchor()
        self.call_later(self._settle_anchor, end)

    def _settle_anchor(self, end: int) -> None:
        if self.is_anchored and self._anchor_released and self.scroll_target_y >= end:
            self._anchor_released = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Mounts more when the reader comes near an edge."""
        super().watch_scroll_y(old_value, new_value)
        if new_value < old_value:
            self.call_next(self.let_rest)
        self._sliding.scrolled(old_value, new_value)

    def _make(self, node: Node) -> MessageView:
        from .message_view import AnswerView, PromptView

        siblings = [sibling.id for sibling in self._conversation().siblings(node.id)]
        versions = (siblings.index(node.id) + 1, len(siblings))
        newest = self._conversation().node(node.id)
        if node.message.role == "user":
            return PromptView(newest, versions)
        return AnswerView(newest, versions, filtered=self._filtered, recalled=self._recalled.get(node.id, ()))
