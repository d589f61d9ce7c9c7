"""Log lines that stay one line each, whatever a client put into a name or a header."""

from __future__ import annotations

import logging
import re

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def one_line(text: str) -> str:
    """``text`` with line ends and other control characters as hexadecimal escapes: a forged line begins with one."""
    return _CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


class OneLine(logging.Filter):
    """Makes every record of a logger or handler one line, its arguments put in first.

    Tracebacks are left as they are: their lines come from the program.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Changes the record; lets each pass."""
        record.msg, record.args = one_line(record.getMessage()), ()
        return True
