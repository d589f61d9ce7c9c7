"""What a model can be asked to do for a post, and how its answer is read: leniently, since small models ramble."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Struct

AssistKind = Literal["titles", "headlines", "summary", "rewrite", "continue", "grammar", "draft", "translate", "tags"]
Shape = Literal["list", "in place", "after", "apart"]
"""Where a result goes: a choice of lines; in the place of the text; behind it; nowhere by itself."""


class Options(Struct, frozen=True, kw_only=True):
    """What a person chose for one assist. What a kind does not know is not looked at.

    Attributes:
        tone: an adjective or a few, such as ``plain and warm``; for ``rewrite``.
        length: for ``rewrite`` and ``summary``.
        language: its English name, for ``translate``.
        count: how many titles, headlines or tags.
    """

    tone: str = ""
    length: Literal["shorter", "same", "longer"] = "same"
    language: str = "German"
    count: int = 5


class Assist(Struct, frozen=True):
    """One kind of help.

    Attributes:
        title: what a menu says.
        hint: one line on what it does.
        ask: the instruction for the model, from the options.
        whole: whether the text is worked through part by part, each part giving its own piece of the result.
        growth: how long a result may be, as a multiple of what it is made of.
    """

    kind: AssistKind
    title: str
    hint: str
    shape: Shape
    ask: Callable[[Options], str]
    whole: bool = False
    growth: float = 1.5


def _tone(options: Options) -> str:
    length = {
        "shorter": " Make it about half as long.",
        "same": "",
        "longer": " Make it longer, with more detail.",
    }[options.length]
    return f"Rewrite the text{f' in a {options.tone} tone' if options.tone else ', clearer and livelier'}.{length}"


_ALONE = " Keep its Markdown. Answer with the text alone."

ASSISTS: Mapping[AssistKind, Assist] = {
    assist.kind: assist
    for assist in (
        Assist(
            "titles",
            "Titles",
            "Suggests titles for the whole post",
            "list",
            lambda o: f"Suggest {o.count} short titles for this blog post, one a line, without numbers or comments.",
        ),
        Assist(
            "headlines",
            "Headlines",
            "Other wordings of the selected heading",
            "list",
            lambda o: f"Write {o.count} other versions of this headline, one a line, without numbers or comments.",
        ),
        Assist(
            "summary",
            "Summary",
            "Sums the text up in a paragraph",
            "apart",
            lambda o: (
                f"Summarise this text in {'one sentence' if o.length == 'shorter' else 'one short paragraph'}."
                " Answer with the summary alone."
            ),
        ),
        Assist(
            "rewrite",
            "Rewrite",
            "Says the same in another tone or length",
            "in place",
            lambda o: _tone(o) + _ALONE,
            True,
            2.5,
        ),
        Assist(
            "continue",
            "Continue",
            "Writes the next paragraph",
            "after",
            lambda o: "Continue this blog post with its next paragraph. Answer with that paragraph alone.",
        ),
        Assist(
            "grammar",
            "Grammar",
            "Corrects spelling and grammar, and nothing else",
            "in place",
            lambda o: "Correct spelling, grammar and punctuation. Change nothing else." + _ALONE,
            True,
        ),
        Assist(
            "draft",
            "Outline to draft",
            "Writes a paragraph for each point of an outline",
            "in place",
            lambda o: (
                "Write a blog post from this outline: keep its headings, and write a paragraph for each point."
                " Answer with the post in Markdown alone."
            ),
            True,
            8.0,
        ),
        Assist(
            "translate",
            "Translate",
            "Translates the text",
            "in place",
            lambda o: f"Translate the text into {o.language}." + _ALONE,
            True,
            2.0,
        ),
        Assist(
            "tags",
            "Tags",
            "Suggests tags",
            "list",
            lambda o: f"List {o.count} tags for this blog post, each one or two words, one a line, without numbers.",
        ),
    )
}
"""Every assist, in the order of a menu."""

_MARK = re.compile(r"^\s*(?:[-*•+–]|\(?\d{1,2}[.):]|#+)\s+")
_LABEL = re.compile(r"^(?:title|headline|tag|option|version|tags|titles)\s*\d*\s*[:\-–]\s*", re.IGNORECASE)
_PREAMBLE = re.compile(
    r"\A\s*(?:sure|certainly|of course|here(?:'s| is| are)|below is|the (?:rewritten|corrected|translated)|"
    r"(?:rewritten|corrected|translated|revised) (?:text|version))\b[^\n]*:\s*\n+",
    re.IGNORECASE,
)
_FENCED = re.compile(r"\A\s*```(?:markdown|md|text)?[ \t]*\n(?P<inside>.*?)\n```\s*\Z", re.DOTALL | re.IGNORECASE)


def lines_of(answer: str, kind: AssistKind, most: int) -> tuple[str, ...]:
    """The choices in a model's answer: without bullets, numbers, quotation marks and talk around them, none twice."""
    found: dict[str, str] = {}
    lines = [answer] if "\n" not in answer.strip() else answer.splitlines()
    for line in lines:
        parts = line.split(",") if kind == "tags" else [line]
        for part in parts:
            words = _choice(part, kind)
            if words:
                found.setdefault(words.casefold(), words)
    return tuple(found.values())[:most]


def _choice(line: str, kind: AssistKind) -> str:
    words = _LABEL.sub("", _MARK.sub("", line)).strip().strip("*_`").strip(" \"'“”‘’«»").strip()
    if not words or words.endswith(":") or words.lower().startswith(("sure", "here are", "here is", "certainly")):
        return ""
    if kind == "tags":
        words = words.lstrip("#").strip().rstrip(".").lower()
        return words if 0 < len(words) <= 40 and len(words.split()) <= 4 else ""
    return words.rstrip(".") if len(words) <= 160 else ""


def text_of(answer: str) -> str:
    """The text in a model's answer: without "Here is …:", and without a fence or quotation marks around all of it."""
    text = _PREAMBLE.sub("", answer, count=1).strip()
    fenced = _FENCED.match(text)
    if fenced:
        text = fenced["inside"].strip()
    for opening, closing in (('"', '"'), ("“", "”")):
        inside = text[1:-1]
        if (
            len(text) > 1
            and text[0] == opening
            and text[-1] == closing
            and opening not in inside
            and closing not in inside
        ):
            text = inside.strip()
    return text
