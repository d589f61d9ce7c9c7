"""``playground``: the terminal interface without a command, the command line with one."""

from __future__ import annotations

import click

from app import __version__
from app.errors import NotSupportedError

from .lazy import LazyGroup
from .session import Session, reporting_errors

_COMMANDS = {
    "backup": ("app.cli.backup:backup", "Copies of everything that is kept: create, list, verify, restore."),
    "bench": ("app.cli.bench:bench", "Measure a model on this machine."),
    "chat": ("app.cli.chat:chat", "Ask a model, or go on with a conversation."),
    "compare": ("app.cli.lab:compare", "Ask several models the same, and see what each makes of it."),
    "debate": ("app.cli.lab:debate", "Let several models argue a question; a judge sums up."),
    "doctor": ("app.cli.doctor:doctor", "Check this machine and show where every setting comes from."),
    "keys": ("app.cli.keys:keys", "Keys for programs that ask the server: create, list, revoke, usage."),
    "memory": ("app.cli.memory:memory", "What is remembered: status, search, forget, restore, export."),
    "models": ("app.cli.models:models", "Models on this machine: list, pull, import, verify, info, remove."),
    "posts": ("app.cli.posts:posts", "Posts that are written here: list, search, show, export, publish, import."),
    "prompts": ("app.cli.prompts:prompts", "Prompts and personas: list, show, write, import, export."),
    "requests": ("app.cli.requests:requests", "What was asked of models, and how it went: list, show, export."),
    "serve": ("app.cli.serve:serve", "Answer other programs: OpenAI, Anthropic, Ollama and llama.cpp clients."),
    "sessions": ("app.cli.sessions:sessions", "Conversations that are kept: list, show, search, export, import."),
    "transcribe": ("app.cli.transcribe:transcribe", "Write down what is said in recordings, also as subtitles."),
    "usage": ("app.cli.usage:usage", "What models did over time: requests, tokens, speed, cost; by model or by day."),
    "users": ("app.cli.users:users", "People who may sign in to the server: add, list, disable, password."),
    "vault": ("app.cli.vault:vault", "What protects it: status, passphrase, keyring, recovery-key, rekey."),
    "web": ("app.cli.web:web", "The terminal interface in a browser on this machine."),
}

_FOR_OTHERS = frozenset(("serve", "web"))
"""Commands that other programs or browsers connect to."""


@click.group(
    cls=LazyGroup,
    commands_at=_COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--local-only", is_flag=True, help="Forbid everything that would leave this machine.")
@click.option("--sealed", is_flag=True, help="Local-only, and have the kernel give the program no network at all.")
@click.option(
    "--device",
    type=click.Choice(("auto", "cpu", "cuda", "metal", "vulkan"), case_sensitive=False),
    help="What models run on; `doctor` says what there is. A model's own device in a catalogue goes first.",
)
@click.version_option(__version__, "-V", "--version", message="playground %(version)s")
@click.pass_context
def cli(context: click.Context, local_only: bool, sealed: bool, device: str | None) -> None:
    """A private AI workbench in the terminal. Without a command it opens the terminal interface."""
    session = context.ensure_object(Session)
    session.local_only = local_only or sealed
    session.device = device
    if sealed:
        _seal(context.invoked_subcommand)
    if context.invoked_subcommand is None:
        session.open_interface()


@reporting_errors
def _seal(command: str | None) -> None:
    from app.privacy.sealed import seal

    if command in _FOR_OTHERS:
        raise NotSupportedError(
            f"Nobody could reach a sealed `{command}`: its loopback is its own.",
            "Use --local-only, which lets in programs of this machine.",
        )
    seal()
