"""Taking values out of JSON that nobody promised anything about: what has the wrong type counts as absent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.errors import ImportFormatError
from app.vault.storage.storable import storable

MAX_JSON_BYTES = 512 * 1024 * 1024
"""Larger files are refused: parsed, they would need several times their size in memory."""

AS_GIVEN = "Give the export as the service made it: the .zip, or the conversations.json inside it."

_YEAR_10000 = 253_402_300_800.0
_LONGEST_TITLE_IN_A_NOTE = 60


def parse_json(content: str | bytes) -> Any:
    """The value that a JSON text holds.

    ``NaN`` and infinities are let through, since some programs write them; ``as_time`` refuses them.

    Raises:
        ImportFormatError: when it is too large, not UTF-8, not JSON, or nested too deeply.
    """
    if len(content) > MAX_JSON_BYTES:
        raise ImportFormatError(
            f"The file holds {len(content) / 2**20:.0f} MiB of JSON; at most {MAX_JSON_BYTES / 2**20:.0f} can be read.",
            "Export fewer conversations at a time.",
        )
    try:
        text = content.decode("utf-8") if isinstance(content, bytes) else content
        return json.loads(text.removeprefix("\ufeff"))
    except UnicodeDecodeError as error:
        raise ImportFormatError(f"The file is not UTF-8 text: byte {error.start} cannot be read.", AS_GIVEN) from error
    except RecursionError as error:
        raise ImportFormatError("The file is nested too deeply to be an export.", AS_GIVEN) from error
    except ValueError as error:
        raise ImportFormatError(f"The file is not JSON: {error}.", AS_GIVEN) from error


def parse_conversations(content: str | bytes, service: str) -> list[Any]:
    """The list of conversations that an export of ``service`` is.

    Raises:
        ImportFormatError: when the file is not JSON, or not a list.
    """
    parsed = parse_json(content)
    if not isinstance(parsed, list):
        raise ImportFormatError(f"The file is not a {service} export: it is not a list of conversations.", AS_GIVEN)
    return parsed


def as_mapping(value: object) -> Mapping[str, Any]:
    """``value`` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """``value`` if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: object) -> str:
    """``value`` if it is a string, else an empty one. Halves of characters, which no file can hold, become U+FFFD."""
    return storable(value) if isinstance(value, str) else ""


def as_time(value: object) -> float:
    """Seconds since 1970 from a number; 0 when it is none, not finite, or no time within the calendar."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _YEAR_10000:
        return 0.0
    return float(value)


def as_iso_time(value: object) -> float:
    """Seconds since 1970 from an ISO 8601 text, UTC unless it says otherwise; 0 when it is none."""
    try:
        moment = datetime.fromisoformat(as_text(value))
        return as_time((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return 0.0


def as_json_text(value: object) -> str:
    """``value`` as compact JSON.

    Raises:
        RecursionError: when it is nested very deeply.
    """
    return as_text(json.dumps(value, ensure_ascii=False))


def named(title: str, index: int) -> str:
    """How a note calls a conversation: by its title, or by its place in the export."""
    words = re.sub(r"\s+", " ", title).strip()
    if not words:
        return f"Conversation {index + 1}"
    shortened = words if len(words) <= _LONGEST_TITLE_IN_A_NOTE else f"{words[: _LONGEST_TITLE_IN_A_NOTE - 1]}…"
    return f"“{shortened}”"


def counted(number: int, one: str, many: str = "") -> str:
    """``1 message``, ``2 messages``."""
    return f"{number} {one if number == 1 else many or one + 's'}"
