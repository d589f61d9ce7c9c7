"""Commands by name: typed after a slash in the composer, or found in the palette."""

from __future__ import annotations

import re

from msgspec import Struct

_LINE = re.compile(r"/([a-z]+)(?:[ \t]+(\S.*))?\s*")


class Command(Struct, frozen=True):
    """One thing that can be asked for by name.

    Attributes:
        name: the word after the slash.
        title: how the palette calls it.
        help: one sentence.
        action: what it does, as the pane's action without arguments.
        argument: what may follow the name; empty when nothing may.
    """

    name: str
    title: str
    help: str
    action: str
    argument: str = ""


COMMANDS: tuple[Command, ...] = (
    Command("help", "Help", "What can be done here, and with which keys.", "app.help"),
    Command("model", "Choose a model", "Answer with another model from now on.", "pick_model", "NAME"),
    Command("new", "New chat", "Begin an empty conversation.", "new_chat"),
    Command("system", "System prompt", "Set the instructions that hold for this conversation.", "edit_system", "TEXT"),
    Command("set", "Sampling", "Change how tokens are chosen here: /set temperature 0.7.", "show_sampling", "NAME"),
    Command("title", "Rename this chat", "Give this conversation a title.", "edit_title", "TEXT"),
    Command("memory", "Memory on or off", "Whether this conversation is remembered and recalls.", "memory", "on|off"),
    Command("archive", "Archive this chat", "Put this conversation out of the list; again takes it back.", "archive"),
    Command("delete", "Delete this chat", "Put this conversation into the bin.", "delete_chat"),
    Command("undo", "Bring a chat back", "Take back the last /archive or /delete.", "bring_back"),
    Command("stop", "Stop answering", "Stop the answer; what came is kept.", "stop"),
    Command("again", "Answer again", "Ask for another version; both are kept.", "regenerate"),
    Command("continue", "Continue the answer", "Go on with an answer that was cut.", "go_on"),
    Command("original", "Show the original", "Show what the content filter left out.", "toggle_original"),
    Command("edit", "Edit a prompt", "Write the last prompt anew; both versions are kept.", "edit_message"),
    Command("back", "Roll back", "Take the last question and its answer off the conversation.", "roll_back", "TURNS"),
    Command("copy", "Copy the answer", "Copy the whole last answer.", "copy_message"),
    Command("code", "Copy a code block", "Copy a code block; again for the one before.", "copy_code"),
    Command("thoughts", "Show or hide thoughts", "Fold or unfold what the model thought.", "toggle_thinking"),
    Command("prompt", "Prompts", "Begin with a prompt of your library.", "pick_prompt", "WHICH"),
    Command("persona", "Personas", "Choose who answers here; /persona off ends it.", "pick_persona", "WHICH"),
    Command("save", "Save as a prompt", "Keep what is written, or the last question, in the library.", "save_prompt"),
    Command("editor", "Open in the editor", "Write the prompt in your own editor.", "edit_in_editor"),
    Command("compare", "Compare models", "Ask several models the same, side by side.", "compare", "TEXT"),
    Command("debate", "Let models debate", "Several models argue a question; one sums up.", "debate", "TEXT"),
    Command("sessions", "Sessions", "Find and go on with earlier conversations.", "app.pane('sessions')"),
    Command("lock", "Lock now", "Lock the vault; the passphrase opens it again.", "app.lock"),
    Command("passphrase", "Set a passphrase", "Set or change the vault's passphrase.", "app.passphrase"),
    Command("backup", "Back up now", "Make an encrypted backup of everything that is kept.", "app.backup"),
    Command("models", "Models", "See, fetch and remove models.", "app.pane('models')"),
    Command("preview", "What would be sent", "See exactly what would leave this machine.", "preview", "TEXT"),
    Command("dashboard", "Dashboard", "See what models did over time: tokens, speed, cost.", "app.pane('dashboard')"),
    Command("requests", "Requests", "Look through what was asked of models.", "app.pane('requests')"),
    Command("server", "Server", "Let other programs use your models.", "app.pane('server')"),
    Command("local", "Local only", "Let nothing leave this machine, or allow it again.", "app.local_only"),
    Command("theme", "Theme", "Change the colours.", "app.theme", "NAME"),
    Command("density", "Density", "Change between comfortable and compact spacing.", "app.density"),
    Command("quit", "Quit", "Leave; a running answer is stopped.", "app.quit"),
)


def matching(text: str) -> tuple[Command, ...]:
    """The commands that a line which is still being written may become; none when it is no command."""
    if not text.startswith("/") or any(mark in text for mark in (" ", "\n", "\t")):
        return ()
    return tuple(command for command in COMMANDS if command.name.startswith(text[1:].lower()))


def offered(text: str) -> tuple[Command, ...]:
    """The commands to offer for a line: those it may become, unless it already is the only one of them."""
    found = matching(text)
    return () if len(found) == 1 and text == f"/{found[0].name}" else found


def parse(text: str) -> tuple[str, str] | None:
    """The name and argument of a command line; ``None`` for what is no command: a path, two slashes, more lines."""
    found = _LINE.fullmatch(text)
    return (found[1], (found[2] or "").strip()) if found else None


def as_typed(text: str) -> str:
    """What to write so that ``text`` is asked: another slash before what would be a command, or lose one."""
    return f"/{text}" if text.startswith("//") or parse(text.strip()) is not None else text


def command(name: str) -> Command | None:
    """The command of this name."""
    return next((known for known in COMMANDS if known.name == name), None)
