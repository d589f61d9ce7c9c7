"""A response as it grows: its items, and the events that tell of them."""

from __future__ import annotations

from typing import Any

from app.errors import PlaygroundError
from app.messages import Delta, Finished, Started, TextDelta, ThinkingDelta, ToolCallDelta

from .replies import encode, logprobs_of, new_id
from .responses_replies import (
    CallItem,
    Incomplete,
    Item,
    MessageItem,
    OutputText,
    Problem,
    ReasoningItem,
    ReasoningText,
    ResponseReply,
    UsageReply,
)


class ResponseWriter:
    """Takes an answer's deltas, gives the events of each, and leaves the response whole.

    Args:
        response: what is known of it at the start.
        logprobs: whether the probabilities of tokens are told.
    """

    def __init__(self, response: ResponseReply, *, logprobs: bool) -> None:
        self.response = response
        self._logprobs = logprobs
        self._item: Item | None = None
        self._texts: list[str] = []
        self._call = -1
        self._number = 0

    def feed(self, delta: Delta) -> bytes:
        """The events of one delta, joined; empty when it tells nothing."""
        match delta:
            case Started():
                self.response.model = delta.model
                return self._event("response.created", response=self.response) + self._event(
                    "response.in_progress", response=self.response
                )
            case TextDelta(text, chosen):
                opening = b"" if isinstance(self._item, MessageItem) else self._close() + self._open_message()
                return opening + self._said(text, logprobs_of(chosen).content if self._logprobs else [])
            case ThinkingDelta(text):
                opening = b"" if isinstance(self._item, ReasoningItem) else self._close() + self._open_thinking()
                self._texts.append(text)
                return opening + self._of_item("response.reasoning_text.delta", content_index=0, delta=text)
            case ToolCallDelta(index, arguments, call_id, name):
                same = isinstance(self._item, CallItem) and index == self._call
                opening = b"" if same else self._close() + self._open_call(index, call_id, name)
                self._texts.append(arguments)
                return opening + self._of_item("response.function_call_arguments.delta", delta=arguments)
            case Finished(reason, usage):
                cut = reason in ("length", "content_filter")
                events = self._close("incomplete" if cut else "completed")
                if cut:
                    why = "max_output_tokens" if reason == "length" else "content_filter"
                    self.response.incomplete_details = Incomplete(why)
                self.response.status = "incomplete" if cut else "completed"
                self.response.usage = UsageReply.of(usage)
                return events + self._event(f"response.{self.response.status}", response=self.response)
            case _:
                return b""

    def failed(self, error: PlaygroundError) -> bytes:
        """The events of an error in mid-stream."""
        self._close("incomplete")
        self.response.status = "failed"
        self.response.error = Problem("server_error", str(error))
        return self._event("response.failed", response=self.response)

    # Items

    def _open_message(self) -> bytes:
        return self._open(MessageItem(new_id("msg_"), "in_progress")) + self._of_item(
            "response.content_part.added", content_index=0, part=OutputText("")
        )

    def _open_thinking(self) -> bytes:
        return self._open(ReasoningItem(new_id("rs_"), "in_progress"))

    def _open_call(self, index: int, call_id: str | None, name: str | None) -> bytes:
        self._call = index
        return self._open(CallItem(new_id("fc_"), call_id or new_id("call_"), name or "", "", "in_progress"))

    def _open(self, item: Item) -> bytes:
        self._item = item
        self._texts.clear()
        self.response.output.append(item)
        return self._event("response.output_item.added", output_index=len(self.response.output) - 1, item=item)

    def _said(self, text: str, logprobs: list[Any]) -> bytes:
        self._texts.append(text)
        if isinstance(self._item, MessageItem):
            if not self._item.content:
                self._item.content.append(OutputText(""))
            self._item.content[0].logprobs.extend(logprobs)
        return self._of_item("response.output_text.delta", content_index=0, delta=text, logprobs=logprobs)

    def _close(self, status: str = "completed") -> bytes:
        item, text = self._item, "".join(self._texts)
        if item is None:
            return b""
        match item:
            case MessageItem():
                item.content[0].text = text
                part = item.content[0]
                events = self._of_item(
                    "response.output_text.done", content_index=0, text=text, logprobs=part.logprobs
                ) + self._of_item("response.content_part.done", content_index=0, part=part)
            case ReasoningItem():
                item.content.append(ReasoningText(text))
                events = self._of_item("response.reasoning_text.done", content_index=0, text=text)
            case CallItem():
                item.arguments = text
                events = self._of_item("response.function_call_arguments.done", name=item.name, arguments=text)
        item.status = status
        events += self._event("response.output_item.done", output_index=len(self.response.output) - 1, item=item)
        self._item = None
        return events

    # Events

    def _of_item(self, kind: str, **fields: Any) -> bytes:
        item_id = self._item.id if self._item else ""
        return self._event(kind, item_id=item_id, output_index=len(self.response.output) - 1, **fields)

    def _event(self, kind: str, **fields: Any) -> bytes:
        event = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        return b"event: " + kind.encode() + b"\ndata: " + encode(event) + b"\n\n"
