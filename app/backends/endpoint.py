"""A remote place that answers requests, as the user's catalogue describes it: ``[endpoints.NAME]``."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

EndpointKind = Literal["openai", "anthropic", "ollama", "openai-compatible"]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]


class HeaderRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which headers of a client's request go on to the endpoint, and what is done to them then.

    Hop-by-hop headers and the client's own credentials never go on, whatever is chosen.

    Attributes:
        mode: ``blacklist`` sends all but ``names``; ``whitelist`` sends ``names`` alone; ``passthrough`` sends all.
        force: set, whatever was there.
        add: set where it is missing.
        drop: taken out last.
    """

    mode: Literal["whitelist", "blacklist", "passthrough"] = "whitelist"
    names: tuple[str, ...] = ()
    force: dict[str, str] = {}
    add: dict[str, str] = {}
    drop: tuple[str, ...] = ()


class Transform(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    r"""One change of bodies: a regular expression replaced in their texts, or a JSONPath dropped or added.

    Exactly one of ``replace``, ``drop`` and ``add`` is set.

    Attributes:
        on: which bodies; a streamed answer counts as a response.
        replace: a pattern in RE2's syntax; ``by`` takes its place, with ``\1`` for groups.
        drop: a JSONPath; what it names is taken out.
        add: a JSONPath of one place; ``value`` is put there.
    """

    on: Literal["request", "response", "both"] = "request"
    replace: str | None = None
    by: str = ""
    drop: str | None = None
    add: str | None = None
    value: object = None


class Endpoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a provider is, how it is reached, and what is changed on the way.

    Attributes:
        name: the word in the table's heading.
        url: up to and with the version: ``https://api.example/v1``; for Ollama without ``/api``.
        key: where its key is, never the key itself: ``env:NAME``, ``keyring:NAME`` or ``vault:NAME``; empty is none.
        connect_s: until the connection stands, its TLS included.
        read_s: between two pieces of an answer.
        total_s: of a whole request with all its retries.
        retries: how often one request is tried again before another model is.
        cooldown_s: how long it is left alone after it failed.
        verify: whether its certificate is checked.
        ca: a file of further authorities, in PEM.
        http2: whether HTTP/2 is offered where TLS is used.
        passthrough: whether requests in its own protocol go on as they came, with fields that we do not know.
        redact: whether personal data is replaced before anything goes there.
        health: the path that tells whether it is well; empty asks for its list of models.
        health_every_s: seconds between such checks while it is in use; 0 never checks.
        connections: most connections at once.
    """

    name: str
    kind: EndpointKind
    url: str
    key: str = ""
    connect_s: Seconds = 5.0
    read_s: Seconds = 120.0
    total_s: Seconds = 600.0
    retries: Annotated[int, Meta(ge=0, le=10)] = 2
    cooldown_s: Seconds = 15.0
    verify: bool = True
    ca: str = ""
    http2: bool = True
    passthrough: bool = True
    redact: bool = True
    headers: HeaderRules = HeaderRules()
    transforms: tuple[Transform, ...] = ()
    health: str = ""
    health_every_s: Annotated[float, Meta(ge=0, le=86_400)] = 0.0
    connections: Annotated[int, Meta(ge=1, le=10_000)] = 100
