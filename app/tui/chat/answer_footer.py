"""The words around an answer: why it does not come yet, and how it went."""

from __future__ import annotations

from textual.content import Content

from app.messages import Node, Waiting, Way
from app.privacy.terminal import clean
from app.tui import words
from app.tui.models.remote_words import dollars


def versions_note(number: int, total: int) -> str:
    """``‹ 2/3 ›``."""
    return f"‹ {number}/{total} ›"


def answer_footer(node: Node, versions: tuple[int, int], note: str = "") -> Content:
    """Who answered, tokens, speed, first token, cost, how it ended, a note, which version; the unknown is left out.

    Where another answered than was asked, a second line says why.
    """
    notes: list[tuple[str, str]] = [(clean(node.model), "$text-muted")] if node.model else []
    way = node.way or Way()
    if way.backend not in ("", "local"):
        notes.append((f"from {clean(way.backend)}", "$text-muted"))
    if way.from_cache:
        notes.append(("answered before, given again", "$text-accent"))
    if node.usage is not None and node.usage.completion_tokens:
        notes.append((words.plural(node.usage.completion_tokens, "token"), "$text-muted"))
        speed = node.timings.tokens_per_second(node.usage.completion_tokens) if node.timings else 0.0
        if speed:
            notes.append((words.speed(speed), "$text-muted"))
    if node.first_token is not None and node.status != "streaming":
        notes.append((f"first token {words.seconds(node.first_token)}", "$text-muted"))
    if way.cost is not None:
        notes.append((dollars(way.cost), "$text-muted"))
    if node.status == "cut":
        notes.append(("stopped", "$text-warning"))
    elif node.status == "failed":
        notes.append(("failed", "$text-error"))
    elif node.finish == "length":
        notes.append(("cut at the length limit", "$text-warning"))
    if note:
        notes.append((note, "$text-disabled"))
    if versions[1] > 1:
        notes.append((versions_note(*versions), "$text-primary"))
    pieces = [piece for note in notes for piece in ((" · ", "$text-disabled"), note)][1:]
    if way.instead_of and node.status != "streaming":
        why = f"\n{clean(way.instead_of)} could not answer: {clean(way.reason)}"
        pieces.append((why, "$text-warning"))
    return Content.assemble(*pieces)


def waiting_words(waiting: Waiting, model: str) -> str:
    """Why nothing has come yet."""
    if waiting.stage == "loading":
        percent = f" {waiting.done} %" if waiting.total else ""
        return f"loading {model}{percent}"
    if waiting.stage == "queued":
        return "waiting for its turn"
    if waiting.stage == "connecting":
        return f"connecting to {model}"
    if waiting.stage == "retrying":
        of = f" of {waiting.total}" if waiting.total else ""
        return f"{model} did not answer; trying again, {waiting.done}{of}"
    if waiting.total:
        return f"reading {words.count(waiting.done)} of {words.count(waiting.total)} tokens"
    return "reading"
