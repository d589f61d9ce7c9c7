"""Days as they are given on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

from app.errors import InvalidRequestError


def day(text: str) -> float:
    """The first second of a day of UTC, written as 2026-01-31; seconds since 1970.

    Raises:
        InvalidRequestError: when it is none.
    """
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise InvalidRequestError(f"The day is {text!r}; expected one such as 2026-01-31.") from error
