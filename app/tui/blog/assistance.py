"""The desk's help: what is asked, of which part of the post, and what is done with the answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from app.privacy.terminal import clean
from app.tui import words

if TYPE_CHECKING:
    from app.tui.surroundings import Surroundings
    from app.writing.assistant import AssistEvent
    from app.writing.assists import AssistKind, Options

    from .assist_screen import Job
    from .editor import PostEditor
    from .helping_model import HelpingModel
    from .kept_post import KeptPost

Stretch = tuple[int, int]
"""Where a part of the text begins and ends, in characters."""


class Assistance:
    """Asks a model for the post on the desk. Nothing is changed that the person did not take."""

    def __init__(self, kept: KeptPost, editor: PostEditor, model: HelpingModel, around: Surroundings) -> None:
        self._kept, self._editor, self._model, self._around = kept, editor, model, around

    def ask(self) -> None:
        """Asks what shall be done with the marked text, or with all of it."""
        from .assist_menu import AssistMenu

        if self._kept.keeper is None:
            return
        if not self._editor.text.strip():
            self._around.say("There is nothing written yet that could be worked on.", seconds=3, warning=True)
            return
        self._around.ask(AssistMenu(self._about()), self._kind_chosen)

    def _kind_chosen(self, kind: AssistKind | None) -> None:
        from app.writing.assists import Options

        from .assist_menu import OptionsDialog

        if kind in ("rewrite", "translate"):
            self._around.ask(
                OptionsDialog(kind), lambda options: self._begin(kind, options) if options is not None else None
            )
        elif kind is not None:
            self._begin(kind, Options())

    def _about(self) -> str:
        start, end = self._editor.marked
        what = f"The marked {words.plural(end - start, 'character')}" if end > start else "The whole post"
        return f"{what} · {self._model.words}"

    # Asking

    def _begin(self, kind: AssistKind, options: Options) -> None:
        from app.writing.assists import ASSISTS

        if self._kept.keeper is None:
            return
        text, shape = self._editor.text, ASSISTS[kind].shape
        start, end = self._stretch(kind)
        about = self._about() if kind != "headlines" else f"“{clean(text[start:end])}”"
        if shape == "list":
            self._offer_choices(kind, self._job(kind, options, text[start:end], about), (start, end))
        elif shape == "apart":
            self._show_summary(self._job(kind, options, text[start:end], about))
        else:
            self._propose(kind, options, (start, end), about)

    def _stretch(self, kind: AssistKind) -> Stretch:
        """The part of the text that the model reads."""
        from app.writing.assists import ASSISTS

        start, end = self._editor.marked
        if kind == "headlines":
            return (start, end) if end > start else _heading(self._editor)
        text = self._editor.text
        if ASSISTS[kind].shape == "after":
            return 0, _end_of_paragraph(text, end)
        return (start, end) if end > start else (0, len(text))

    def _job(self, kind: AssistKind, options: Options, text: str, about: str) -> Job:
        from app.tui.chat.when_here import WhenHere
        from app.writing.assistant import Assistant
        from app.writing.assists import ASSISTS

        from .assist_screen import Job

        assistant = Assistant(WhenHere(self._model.models), self._model.name)

        def run() -> AsyncGenerator[AssistEvent, None]:
            return assistant.run(kind, text, options)

        return Job(ASSISTS[kind].title, about, text, run)

    # What is done with an answer

    def _propose(self, kind: AssistKind, options: Options, stretch: Stretch, about: str) -> None:
        import msgspec

        from .proposal import ProposalScreen

        text = self._editor.text
        start, end = stretch
        job = self._job(kind, options, text[start:end], about)
        if kind == "continue":
            # The model reads up to here; the new paragraph stands between this and what follows.
            before, after = text[:end].rstrip("\n"), text[end:].lstrip("\n")
            start, end = 0, len(text)
            job = msgspec.structs.replace(
                job, old=text, whole=lambda new: f"{before}\n\n{new.strip()}\n" + (f"\n{after}" if after else "")
            )

        def answered(new: str | None) -> None:
            if new is not None and new != text[start:end]:
                self._around.do(self._put_in(text, (start, end), new))

        self._around.ask(ProposalScreen(job), answered)

    def _show_summary(self, job: Job) -> None:
        from .summary_card import SummaryCard

        text, at = self._editor.text, self._editor.marked[1]

        def answered(summary: str | None) -> None:
            if summary:
                self._around.do(self._put_in(text, (at, at), summary))

        self._around.ask(SummaryCard(job), answered)

    def _offer_choices(self, kind: AssistKind, job: Job, stretch: Stretch) -> None:
        from .choices import ChoicesScreen

        text = self._editor.text
        start, end = stretch

        def answered(chosen: tuple[str, ...] | None) -> None:
            post = self._kept.post
            if not chosen or post is None:
                return
            if kind == "tags":
                self._kept.adopt(tags=tuple(dict.fromkeys((*post.tags, *chosen))))
            elif kind == "titles" or end == start:
                self._around.do(self._retitle(chosen[0]))
            else:
                self._around.do(self._put_in(text, stretch, chosen[0]))

        self._around.ask(ChoicesScreen(job, several=kind == "tags"), answered)

    async def _retitle(self, title: str) -> None:
        if self._kept.keeper is not None:
            await self._kept.keeper.revise("assist")
            self._kept.adopt(title=title)

    async def _put_in(self, before: str, stretch: Stretch, new: str) -> None:
        """Keeps the post as it was among its revisions, then changes it."""
        if self._kept.keeper is None:
            return
        await self._kept.keeper.revise("assist")
        if self._editor.text != before:
            self._around.say("The text was changed meanwhile; nothing was put in.", seconds=5, warning=True)
            return
        self._editor.change(*stretch, new)
        self._editor.focus()


def _heading(editor: PostEditor) -> Stretch:
    """The words of the heading that the cursor is below; nothing where there is none."""
    from app.writing.outline import outline

    row = editor.cursor_location[0]
    above = [heading for heading in outline(editor.text) if heading.line <= row]
    if not above:
        return 0, 0
    line = editor.document.get_line(above[-1].line)
    begin = editor.offset_of((above[-1].line, len(line) - len(line.lstrip("# \t"))))
    return begin, editor.offset_of((above[-1].line, len(line.rstrip())))


def _end_of_paragraph(text: str, at: int) -> int:
    end = text.find("\n\n", at)
    return len(text) if end < 0 else end
