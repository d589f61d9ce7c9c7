"""Conversations to files and from files, as pure functions: text and bytes in and out, nothing read or written."""

from __future__ import annotations

from app.vault.conversations.records import WholeSession

from .imported import Imported
from .names import Form, suggested_name

__all__ = ["Form", "Imported", "export", "read_export", "suggested_name"]


def export(whole: WholeSession, form: Form) -> str:
    """A conversation as text: ``json`` holds all of it and can be read again, the others the branch that is shown."""
    # Each form is loaded when it is asked for: a Markdown parser is nothing that starting up should wait for.
    match form:
        case "markdown":
            from .markdown import to_markdown

            return to_markdown(whole)
        case "html":
            from .html import to_html

            return to_html(whole)
        case "json":
            from .own import to_json

            return to_json(whole)


def read_export(content: bytes, name: str) -> Imported:
    """The conversations of a file that Playground, ChatGPT or Claude wrote: the JSON itself, or a service's .zip.

    ``name`` is what the file is called, for messages; what it holds decides how it is read.

    Raises:
        ImportFormatError: when nothing of it can be read.
    """
    from . import detect

    return detect.read_export(content, name)
