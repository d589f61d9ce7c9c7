"""What would leave the machine, before it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from textual.content import Content

from app.privacy.terminal import clean
from app.tui import words

from .json_words import PLACEHOLDER, json_words, pretty
from .sheet import Sheet


class Previewed(Protocol):
    """Exactly what would be sent: see ``app.backends.remote.Preview``."""

    @property
    def url(self) -> str:
        """Where to."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Its key is masked."""
        ...

    @property
    def body(self) -> bytes:
        """As it would be sent."""
        ...


def preview_sheet(preview: Previewed, model: str) -> Sheet:
    """Everything that would be sent, what was replaced in it marked."""
    body = preview.body.decode("utf-8", "replace")
    replaced = len(set(PLACEHOLDER.findall(body)))
    told = (
        f"{words.plural(replaced, 'piece')} of personal data replaced, marked below"
        if replaced
        else "no personal data was found in it"
    )
    lines = [
        Content.assemble(("POST ", "$text-muted"), (clean(preview.url), "bold $warning")),
        *(
            Content.assemble((f"{clean(name)}: ", "$text-muted"), clean(value))
            for name, value in preview.headers.items()
        ),
        Content.styled(f"{words.count(len(preview.body))} bytes · {told} · nothing has been sent", "$text-muted"),
    ]
    readable = pretty(preview.body)
    return Sheet(
        f"What would be sent to {clean(model)}",
        Content("\n").join(lines),
        (("easy to read", json_words(readable), clean(readable)), ("as it is sent", json_words(body), clean(body))),
    )
