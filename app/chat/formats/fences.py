"""Markdown that holds other people's text without breaking."""

from __future__ import annotations

import re

LINE_END = re.compile(r"\r\n|\n|\r")
"""The line ends of Markdown; Python's own ``splitlines`` knows many more."""

_BACKTICKS = re.compile(r"`+")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&$])")
_INFO_WORD = re.compile(r"[A-Za-z0-9+#._-]{1,40}")


def fenced(text: str, info: str = "") -> str:
    """``text`` as a code block whose fence is longer than any within it; ``info`` only if it is a plain word."""
    fence = "`" * max(3, 1 + max((len(run) for run in _BACKTICKS.findall(text)), default=0))
    end = "" if text.endswith(("\n", "\r")) else "\n"
    return f"{fence}{info if _INFO_WORD.fullmatch(info) else ''}\n{text}{end}{fence}"


def quoted(text: str) -> str:
    """``text`` as a block quote. Whatever it leaves open ends with the quote."""
    return "\n".join(f"> {line}" if line else ">" for line in LINE_END.split(text))


def literal(text: str) -> str:
    """``text`` as one line that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
