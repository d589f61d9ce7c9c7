"""A prompt as a Markdown file: front matter that says what it is, and its text."""

from __future__ import annotations

from typing import Any

from app.chat.markdown_head import one_line, read_head, words_of, written_head
from app.chat.sampling_ranges import RANGES, range_words
from app.errors import ImportFormatError
from app.messages import Sampling
from app.vault.posts.slugs import slug_of
from app.vault.prompts.records import Prompt, PromptKind

from .variables import variables

MOST_BYTES = 256 * 1024
"""Of one prompt's file; the longest of the published collections are a tenth of that."""

MOST_VARIABLES = 32
_MOST_TAGS = 32
_MOST_STOPS = 16
_MOST_TITLE, _MOST_DESCRIPTION = 120, 400


def name_of(words: str) -> str:
    """What a prompt is called by: small letters, digits and single hyphens; ``prompt`` when nothing is left."""
    return slug_of(words, "prompt")


def prompt_of(text: str, otherwise: str) -> Prompt:
    """The prompt that a file holds. Fields that are not known are left out.

    Args:
        text: the file.
        otherwise: what makes its name and title where it says neither: the file's own name, without its ending.

    Raises:
        ImportFormatError: when the front matter makes no sense, there is no text, or there is too much.
    """
    fields, body = read_head(text.replace("\r\n", "\n").replace("\r", "\n"))
    written = _text(fields, "name")
    name = name_of(written or otherwise)
    return checked(
        Prompt(
            name=name,
            kind=_kind(fields.get("kind")),
            title=_text(fields, "title")[:_MOST_TITLE] or _as_title(written or otherwise),
            description=_text(fields, "description")[:_MOST_DESCRIPTION],
            tags=words_of(fields.get("tags"))[:_MOST_TAGS],
            text=body.strip("\n"),
            model=_text(fields, "model"),
            sampling=_sampling(fields),
        )
    )


def checked(prompt: Prompt) -> Prompt:
    """The same prompt.

    Raises:
        ImportFormatError: when it has no text, too much of it, or too many variables.
    """
    if not prompt.text.strip():
        raise ImportFormatError("There is no text.", "A prompt is what a model is asked, below the front matter.")
    if len(prompt.text.encode("utf-8", "replace")) > MOST_BYTES:
        raise ImportFormatError(f"The text has more than {MOST_BYTES // 1024} KiB.", "Shorten it.")
    if (count := len(variables(prompt.text))) > MOST_VARIABLES:
        raise ImportFormatError(
            f"The text has {count} variables; at most {MOST_VARIABLES} can be filled in.",
            r"A backslash makes text of one: \{{name}}.",
        )
    return prompt


def file_of(prompt: Prompt) -> str:
    """The whole file, which ``prompt_of`` reads as the same prompt."""
    fields: dict[str, Any] = {"name": prompt.name, "title": prompt.title, "description": prompt.description}
    fields = {name: value for name, value in fields.items() if value}
    if prompt.tags:
        fields["tags"] = list(prompt.tags)
    fields["kind"] = prompt.kind
    if prompt.model:
        fields["model"] = prompt.model
    fields |= {name: value for name in RANGES if (value := getattr(prompt.sampling, name)) is not None}
    if prompt.sampling.stop:
        fields["stop"] = list(prompt.sampling.stop)
    return f"{written_head(fields)}\n{prompt.text.strip(chr(10))}\n"


def _text(fields: dict[str, Any], name: str) -> str:
    return one_line(fields.get(name))


def _as_title(name: str) -> str:
    words = " ".join(name.replace("_", " ").replace("-", " ").split())
    return words[:1].upper() + words[1:_MOST_TITLE]


def _kind(value: object) -> PromptKind:
    kind = one_line(value).lower() if value is not None else "prompt"
    if kind == "prompt":
        return "prompt"
    if kind == "persona":
        return "persona"
    raise ImportFormatError(f"The kind is {str(value)[:40]!r}; expected prompt or persona.")


def _sampling(fields: dict[str, Any]) -> Sampling:
    chosen: dict[str, Any] = {}
    for name, (kind, low, high) in RANGES.items():
        value = fields.get(name)
        if value is None:
            continue
        number = not isinstance(value, bool) and isinstance(value, int if kind is int else int | float)
        if not number or not low <= value <= high:
            raise ImportFormatError(f"{name} is {str(value)[:40]!r}; expected {range_words(name)}.")
        chosen[name] = kind(value)
    stop = fields.get("stop")
    if stop is not None:
        stops = [stop] if isinstance(stop, str) else stop
        if not isinstance(stops, list) or not all(isinstance(one, str) and one for one in stops):
            raise ImportFormatError(
                "stop is no text and no list of texts; expected where an answer ends, as stop: END."
            )
        chosen["stop"] = tuple(stops[:_MOST_STOPS])
    return Sampling(**chosen)
