"""The page that shows a terminal. It loads nothing from elsewhere, and its policy forbids it to."""

from __future__ import annotations

import base64
import hashlib
from html import escape

_FOCUS = "addEventListener('load', () => document.querySelector('.xterm-helper-textarea').focus())"
_FOCUS_DIGEST = base64.b64encode(hashlib.sha256(_FOCUS.encode()).digest()).decode()
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Playground</title>
<link rel="stylesheet" href="static/css/xterm.css">
<style>
@font-face {{ font-family: "Roboto Mono"; src: url("static/fonts/RobotoMono-VariableFont_wght.ttf") }}
@font-face {{ font-family: "Roboto Mono"; font-style: italic;
  src: url("static/fonts/RobotoMono-Italic-VariableFont_wght.ttf") }}
body {{ margin: 0; background: #12151c; color: #c9d1d9; font: 16px/1.5 "Roboto Mono", monospace }}
a {{ color: inherit }}
p {{ position: fixed; inset: 0; margin: 0; display: flex; gap: 1ch; align-items: center; justify-content: center }}
.-first-byte #opening, #ended {{ display: none }}
.-closed #ended {{ display: flex; background: #12151ce6; z-index: 20 }}
</style>
<script src="static/js/textual.js"></script><script>{focus}</script>
<body>
<p id="opening">Opening …</p>
<div class="textual-terminal" data-session-websocket-url="{socket}" data-font-size="16"></div>
<p id="ended">Playground has ended here. <a href="">Open it again</a></p>
</html>
"""
_NOTE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Playground</title>
<body style="font: 16px/1.5 system-ui; margin: 4rem auto; max-width: 36rem; padding: 0 1rem"><p>{words}</p></html>
"""
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self' 'sha256-"
    f"{_FOCUS_DIGEST}'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
}


def page(socket: str) -> str:
    """The page.

    Args:
        socket: the address of the terminal's WebSocket.
    """
    return _PAGE.format(socket=escape(socket), focus=_FOCUS)


def note(words: str) -> str:
    """A page that only says something."""
    return _NOTE.format(words=escape(words))
