"""A prompt as it is shown before it is chosen: what it is, and its text with the variables marked."""

from __future__ import annotations

from textual.content import Content

from app.chat.prompt_library.importing import hidden_in
from app.chat.prompt_library.variables import places, variables
from app.messages import Sampling
from app.privacy.terminal import clean
from app.tui.chat.sampling_words import described
from app.vault.prompts.records import Prompt

MOST_SHOWN = 6_000
"""Characters of a text; the rest is counted."""


def previewed(prompt: Prompt, *, own: bool, model_note: str = "") -> Content:
    """What is known of the prompt, and its text.

    Args:
        prompt: the prompt.
        own: whether it is the person's.
        model_note: what is to be said of its model.
    """
    facts = [prompt.name, "yours" if own else "comes with Playground", *(f"#{tag}" for tag in prompt.tags)]
    pieces: list[Content] = [
        Content.styled(clean(prompt.called), "bold $foreground"),
        Content.styled(clean(" · ".join(facts)), "$text-muted"),
    ]
    if prompt.description:
        pieces.append(Content(clean(prompt.description)))
    if prompt.model:
        pieces.append(Content.styled(clean(f"Model: {prompt.model}{model_note}"), "$text-muted"))
    if prompt.sampling != Sampling():
        pieces.append(Content.styled(f"Sampling: {described(prompt.sampling)}", "$text-muted"))
    named = [clean(_variable(one.name, one.default)) for one in variables(prompt.text)]
    if named:
        pieces.append(Content.styled(f"Variables: {', '.join(named)}", "$text-muted"))
    if count := hidden_in(prompt):
        words = f"{count} characters cannot be seen, but a model reads them."
        pieces.append(Content.styled(words, "$text-warning"))
    return Content("\n").join([*pieces, Content(""), marked(prompt.text)])


def marked(text: str) -> Content:
    """The text with its variables in a colour of their own."""
    shown, rest = text[:MOST_SHOWN], len(text) - MOST_SHOWN
    pieces: list[Content] = []
    at = 0
    for start, end in places(shown):
        pieces += [Content(clean(shown[at:start])), Content.styled(clean(shown[start:end]), "bold $accent")]
        at = end
    pieces.append(Content(clean(shown[at:])))
    if rest > 0:
        pieces.append(Content.styled(f"\n… and {rest} more characters", "$text-muted"))
    return Content("").join(pieces)


def _variable(name: str, default: str | None) -> str:
    return f"{name} ({default})" if default else name
