"""What stands where there are no figures: one line of what is so, one of what to do."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content

from app.vault.activity.periods import Span

_THEN: dict[Span, str] = {
    "day": "Nothing was asked in the last 24 hours.",
    "week": "Nothing was asked in the last 7 days.",
    "month": "Nothing was asked in the last 30 days.",
    "all": "Nothing was asked yet.",
}


def empty_words(*, locked: bool, key_of: Callable[[str], str]) -> Content:
    """Where nothing was ever counted, or nothing can be read. ``key_of``: the key that a binding has now, by its id."""
    if locked:
        return _lines("The vault is locked.", ("", "Nothing of it can be seen until it is opened."))
    return _lines(
        "No figures yet.",
        (
            "",
            "Every answer is counted here: how many tokens, how fast, what it cost. Nothing of it leaves this machine.",
        ),
        (key_of("app.chat"), "goes to the chat"),
    )


def nothing_then(span: Span, key_of: Callable[[str], str]) -> Content:
    """Where nothing was counted in a span of time."""
    if span == "all":
        return Content.styled(_THEN[span], "$text-muted")
    return Content.assemble(
        (f"{_THEN[span]}  ", "$text-muted"), (key_of("dashboard.all"), "bold $primary"), (" shows all", "$text-muted")
    )


def _lines(what: str, *more: tuple[str, str]) -> Content:
    pieces: list[tuple[str, str]] = [(what, "$foreground")]
    for key, does in more:
        pieces += [("\n\n", ""), (key, "bold $primary"), (f" {does}" if key else does, "$text-muted")]
    return Content.assemble(*pieces)
