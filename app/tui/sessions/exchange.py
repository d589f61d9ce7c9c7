"""Conversations out of the vault into a file, and out of other programs' files into the vault."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.privacy.terminal import clean
from app.tui import words

from .titles import short_title

if TYPE_CHECKING:
    from app.tui.surroundings import Surroundings
    from app.vault.conversations.sessions import Sessions

    from .export_dialog import Destination

_SAY_EVERY = 100
"""Conversations taken in after which that is said."""

_WORKERS = "import"


class Exchange:
    """Asks for a file, and reads or writes it in a thread."""

    def __init__(
        self,
        sessions: Sessions,
        around: Surroundings,
        *,
        taken_in: Callable[[str], object],
        ended: Callable[[], None],
    ) -> None:
        """``taken_in``: gets the id of each conversation that came in; ``ended``: all of a file are in."""
        self._sessions, self._around = sessions, around
        self._taken_in, self._ended = taken_in, ended

    def forget(self) -> None:
        """Takes nothing more in: the vault is being locked."""
        self._around.stop(_WORKERS)

    async def ask_to_export(self, session_id: str) -> None:
        """Asks for a form and a file, and writes the conversation there."""
        from app.chat.formats import suggested_name

        from .export_dialog import FORMS, ExportDialog

        session = await self._sessions.get(session_id)
        names = {form: suggested_name(session, form) for form, _ in FORMS}

        def answered(destination: Destination | None) -> None:
            if destination is not None:
                self._around.do(self._export(session_id, destination))

        self._around.ask(ExportDialog(short_title(session.title), names, Path.cwd()), answered)

    async def _export(self, session_id: str, destination: Destination) -> None:
        from app.chat.formats import export

        from .files import write_private

        whole = await self._sessions.load(session_id)

        def write() -> None:
            write_private(destination.path, export(whole, destination.form))

        await asyncio.to_thread(write)
        self._around.say(f"Exported to {clean(words.path(destination.path))}.")

    def ask_to_import(self) -> None:
        """Asks for a file, and takes its conversations in."""
        from .line_prompt import LinePrompt

        def wrong(written: str) -> str:
            if not written.strip():
                return "Name a file."
            return "" if Path(written.strip()).expanduser().is_file() else "There is no such file."

        def answered(written: str | None) -> None:
            if written is not None:
                self._around.do(self._import(Path(written.strip()).expanduser()), _WORKERS, exclusive=True)

        about = "Our own JSON, or an export from ChatGPT or Claude: the .zip as it came, or its conversations.json."
        prompt = LinePrompt("Import", about=about, placeholder="~/Downloads/export.zip", does="import", check=wrong)
        self._around.ask(prompt, answered)

    async def _import(self, path: Path) -> None:
        from app.chat.formats import read_export

        from .files import read_bounded

        self._around.say(f"Reading {clean(path.name)} …")
        found = await asyncio.to_thread(lambda: read_export(read_bounded(path), path.name))
        taken = 0
        for whole in found.sessions:
            session = await self._sessions.add(whole)
            taken += 1
            if taken % _SAY_EVERY == 0:
                self._around.say(f"{words.count(taken)} of {words.count(len(found.sessions))} taken in …")
            self._taken_in(session.id)
        self._ended()
        left = f" {words.count(len(found.skipped))} left out: {clean(found.skipped[0])}" if found.skipped else ""
        self._around.say(
            f"{words.plural(taken, 'conversation')} taken in.{left}",
            title="Imported",
            seconds=8,
            warning=bool(found.skipped),
        )
