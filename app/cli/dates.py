"""Days as they are given on the command line."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from app.errors import InvalidRequestError


def day(text: str, zone: tzinfo | None = UTC) -> float:
    """The first second of a day, written as 2026-01-31; seconds since 1970.

    Args:
        text: what was written.
        zone: where the day is; None for the one of this machine.

    Raises:
        InvalidRequestError: when it is none.
    """
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone).timestamp()
    except ValueError as error:
        raise InvalidRequestError(f"The day is {text!r}; expected one such as 2026-01-31.") from error
