"""How the server is watched over. In a file of its own: it is read by whoever runs it, not by whoever uses it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class ObservabilitySettings(Struct, frozen=True, kw_only=True):
    """What the server tells of itself, and to whom. None of it holds a prompt, an answer or a key.

    Attributes:
        metrics: who may read ``/metrics``: keys with the scope ``admin``, any ``key``, programs on this machine without
            one (``loopback``; behind a proxy on this machine that is everybody), or nobody (``off``).
        log_to: ``stderr``, a ``file`` (server.log in the folder for logs), or ``off``.
        log_format: ``pretty`` for people, ``json`` for programs: one object a line.
        log_level: what is less important is left out; ``debug`` also writes the messages of unexpected errors, which
            may quote what was asked.
        access_log: whether every request gets its line.
        sentry_dsn: where unexpected errors are reported to, as Sentry gives it; empty reports nothing, and so does
            local-only mode.
    """

    metrics: Literal["admin", "key", "loopback", "off"] = "admin"
    log_to: Literal["stderr", "file", "off"] = "stderr"
    log_format: Literal["pretty", "json"] = "pretty"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    access_log: bool = True
    sentry_dsn: str = ""
