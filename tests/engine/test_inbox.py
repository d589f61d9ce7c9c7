"""From what a worker says to deltas: thinking that the prompt opened, calls of tools, why an answer ended."""

from __future__ import annotations

from app.engine.frames import Piece, Prefilling
from app.engine.process.inbox import AnswerReader, Batch
from app.messages import (
    ChosenToken,
    Delta,
    Finished,
    FinishReason,
    TextDelta,
    ThinkingDelta,
    TokenLogprob,
    ToolCallDelta,
    Usage,
)

CALL = '<tool_call>{"name": "now", "arguments": {"zone": "UTC"}}</tool_call>'
PROBABLE = (ChosenToken(TokenLogprob("x", b"x", -0.1)),)


def read(
    pieces: list[str], reason: FinishReason = "stop", *, thinking: bool = False, tools: tuple[str, ...] = ("now",)
) -> list[Delta]:
    reader = AnswerReader("m", 100, tools)
    deltas = list(reader.deltas(Batch(Prefilling(1, 10, 0, 0, thinking), "", (), False, None)))
    for piece in pieces:
        deltas += reader.deltas(Batch(None, piece, PROBABLE, True, None))
    return deltas + list(reader.deltas(Batch(None, "", (), False, Piece(1, "", (), reason, Usage(10, 5)))))


def words(deltas: list[Delta]) -> tuple[str, str, str, str]:
    """Thinking, text, arguments of calls, reason of the end."""
    last = deltas[-1]
    assert isinstance(last, Finished)
    return (
        "".join(delta.text for delta in deltas if isinstance(delta, ThinkingDelta)),
        "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)),
        "".join(delta.arguments for delta in deltas if isinstance(delta, ToolCallDelta)),
        last.reason,
    )


def test_thinking_that_the_prompt_opened_is_thinking() -> None:
    assert words(read(["Hm", "…</th", "ink>\n\nYes"], thinking=True)) == ("Hm…", "Yes", "", "stop")


def test_calls_come_behind_thinking_and_text() -> None:
    answer = f"<think>Hm</think>\nI look. {CALL}"
    for pieces in ([answer], list(answer)):
        assert words(read(pieces)) == ("Hm", "I look.", '{"zone": "UTC"}', "tool_calls")


def test_an_answer_that_was_cut_says_so_even_in_a_call() -> None:
    assert words(read([CALL[:-20]], "length"))[3] == "length"


def test_without_tools_a_call_is_text() -> None:
    assert words(read([CALL], tools=())) == ("", CALL, "", "stop")


def test_log_probabilities_go_with_text_and_not_with_calls() -> None:
    told = [delta.logprobs for delta in read(["Yes", ", ", "no"]) if isinstance(delta, TextDelta)]
    assert sum(map(len, told)) == 3
    assert not [delta for delta in read(list(CALL)) if isinstance(delta, TextDelta)]
