"""Models elsewhere, as a catalogue could name them."""

from __future__ import annotations

from app.routing.catalogue.remote_models import Price
from app.routing.listing import ModelLine

MINI = ModelLine(
    name="gpt-5-mini",
    aliases=("mini",),
    backend="openai",
    remote=True,
    context=400_000,
    price=Price(input=0.25, output=2.0, cached=0.025),
    reachable="yes",
    description="Quick and good at most things.",
    leaves="the conversation, to api.openai.example, personal data replaced",
    fallback=("claude", "smollm2-135m"),
    vision=True,
)
CLAUDE = ModelLine(
    name="claude",
    backend="anthropic",
    remote=True,
    context=1_000_000,
    price=Price(input=3.0, output=15.0),
    reachable="no",
    reason="It did not answer within 5 s. It is asked again in 12 s.",
    leaves="the conversation, to api.anthropic.example, personal data replaced",
)
NAS = ModelLine(
    name="nas/qwen3-32b",
    backend="nas",
    remote=True,
    context=32_768,
    leaves="the conversation, to 192.168.1.5, readable on the way",
)
NEAR = ModelLine(name="ollama-here", backend="ollama", remote=True, context=8192, reachable="yes")
LINES = (MINI, CLAUDE, NAS, NEAR)
