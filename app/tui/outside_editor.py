"""Text in the person's own editor, be it a prompt or a post."""

from __future__ import annotations

from collections.abc import Mapping

from textual.app import SuspendNotSupported

from app.privacy.editor import edit, memory_folder

from .face import Face


async def edit_outside(face: Face, text: str, environ: Mapping[str, str]) -> str | None:
    """What was saved in the editor; ``None`` when nothing was, or the editor is open already or cannot be opened.

    Raises:
        EditorError: when the editor does not start or fails.
    """
    if face.terminal.lent:
        return None
    try:
        return await edit(text, environ, face.terminal.lend)
    except SuspendNotSupported:
        face.notify("The editor cannot be opened in this kind of terminal.", severity="warning")
        return None
    finally:
        if memory_folder() is None:
            face.say_once(
                "This system has no folder in memory. What the editor shows lies in a private file on the disk,"
                " and is deleted when it is closed."
            )
