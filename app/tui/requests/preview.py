"""What would leave the machine, before it does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from textual.content import Content

from app.privacy.terminal import clean
from app.tui import words

from .json_words import PLACEHOLDER, json_words, pretty
from .sheet import Sheet

_ENCODED = re.compile(r"[A-Za-z0-9+/]{1000,}={0,2}")
_PICTURE = re.compile(r'"(?:data:image/[a-z]+;base64,)?(?:iVBORw0KGgo|/9j/|R0lGOD|UklGR)[A-Za-z0-9+/]{8}')
"""How PNG, JPEG, GIF and WebP begin in base64."""


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
    if pictures := sum(1 for _ in _PICTURE.finditer(body)):
        told += f" · {words.plural(pictures, 'picture')} sent unaltered, with all that can be seen"
    lines = [
        Content.assemble(("POST ", "$text-muted"), (clean(preview.url), "bold $warning")),
        *(
            Content.assemble((f"{clean(name)}: ", "$text-muted"), clean(value))
            for name, value in preview.headers.items()
        ),
        Content.styled(f"{words.count(len(preview.body))} bytes · {told} · nothing has been sent", "$text-muted"),
    ]
    readable = _ENCODED.sub(_shortened, pretty(preview.body))
    return Sheet(
        f"What would be sent to {clean(model)}",
        Content("\n").join(lines),
        (("easy to read", json_words(readable), clean(readable)), ("as it is sent", json_words(body), clean(body))),
    )


def _shortened(found: re.Match[str]) -> str:
    """A file within a request would hide the words that it goes with."""
    return f"{found[0][:24]}… {words.count(len(found[0]))} characters in all"
