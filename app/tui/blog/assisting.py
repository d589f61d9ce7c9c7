"""The desk's help: what is asked, of which part of the post, and what is done with the answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from app.privacy.terminal import clean
from app.tui import words

from .kept_post import KeptPost

if TYPE_CHECKING:
    from app.settings.writing import WritingSettings
    from app.tui.model_desk import ModelDesk
    from app.tui.pane import Pane
    from app.vault.vault import Vault
    from app.writing.assistant import AssistEvent
    from app.writing.assists import AssistKind, Options

    from .assist_screen import Job


class Assisting(KeptPost):
    """A post with a model beside it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f3,alt+a", "assist", "Assist", id="post.assist"),
        Binding("f2", "pick_model", "Model", show=False, id="post.model"),
    ]

    def __init__(
        self,
        pane: Pane,
        vault: Vault,
        models: ModelDesk,
        model: str,
        choices: WritingSettings,
        environ: Mapping[str, str],
    ) -> None:
        super().__init__(pane, vault)
        self._models, self._choices, self._environ = models, choices, environ
        self.model = choices.model or model
        self._default = model

    def action_pick_model(self) -> None:
        """Asks who shall help."""
        from app.tui.dialogs.model_picker import ModelPicker

        def chosen(name: str | None) -> None:
            if name:
                self.model = name
                self.app.notify(f"{clean(name)} helps with posts now.", timeout=3, markup=False)

        self.app.push_screen(ModelPicker(self._models, self.model), chosen)

    def action_assist(self) -> None:
        """Asks what shall be done with the marked text, or with all of it."""
        from .assist_menu import AssistMenu

        if self.keeper is None:
            return
        if not self.editor.text.strip():
            self.app.notify("There is nothing written yet that could be worked on.", severity="warning", timeout=3)
            return
        self.app.push_screen(AssistMenu(self._about()), self._kind_chosen)

    def _kind_chosen(self, kind: AssistKind | None) -> None:
        from app.writing.assists import Options

        from .assist_menu import OptionsDialog

        if kind in ("rewrite", "translate"):
            self.app.push_screen(
                OptionsDialog(kind), lambda options: self._ask(kind, options) if options is not None else None
            )
        elif kind is not None:
            self._ask(kind, Options())

    def _about(self) -> str:
        start, end = self.editor.marked
        what = f"The marked {words.plural(end - start, 'character')}" if end > start else "The whole post"
        goes_to = self._models.sends_to(self.model)
        where = f"↗ it is sent to {goes_to}" if goes_to else "on this machine"
        return f"{what} · {clean(self.model)}, {where}"

    # Asking

    def _ask(self, kind: AssistKind, options: Options) -> None:
        from app.writing.assists import ASSISTS

        if self.keeper is None:
            return
        start, end = self.editor.marked
        text = self.editor.text
        if end == start:
            start, end = 0, len(text)
        shape = ASSISTS[kind].shape
        if kind == "headlines":
            start, end = self._heading(start, end)
        elif shape == "after":
            start, end = 0, _end_of_paragraph(text, self.editor.marked[1])
        about = self._about() if kind != "headlines" else f"“{clean(text[start:end])}”"
        if shape == "list":
            self._offer_choices(kind, self._job(kind, options, text[start:end], about), (start, end))
        elif shape == "apart":
            self._show_summary(self._job(kind, options, text[start:end], about))
        else:
            self._propose(kind, options, (start, end), about)

    def _job(self, kind: AssistKind, options: Options, text: str, about: str) -> Job:
        from app.tui.chat.when_here import WhenHere
        from app.writing.assistant import Assistant
        from app.writing.assists import ASSISTS

        from .assist_screen import Job

        assistant = Assistant(WhenHere(self._models), self.model)

        def run() -> AsyncGenerator[AssistEvent, None]:
            return assistant.run(kind, text, options)

        return Job(ASSISTS[kind].title, about, text, run)

    # What is done with an answer

    def _propose(self, kind: AssistKind, options: Options, place: tuple[int, int], about: str) -> None:
        import msgspec

        from .proposal import ProposalScreen

        text = self.editor.text
        start, end = place
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
                self._pane.do(self._put_in(text, start, end, new))

        self.app.push_screen(ProposalScreen(job), answered)

    def _show_summary(self, job: Job) -> None:
        from .summary_card import SummaryCard

        text, at = self.editor.text, self.editor.marked[1]

        def answered(summary: str | None) -> None:
            if summary:
                self._pane.do(self._put_in(text, at, at, summary))

        self.app.push_screen(SummaryCard(job), answered)

    def _offer_choices(self, kind: AssistKind, job: Job, place: tuple[int, int]) -> None:
        from .choices import ChoicesScreen

        text = self.editor.text
        start, end = place

        def answered(chosen: tuple[str, ...] | None) -> None:
            if not chosen or self.keeper is None:
                return
            if kind == "tags":
                known = self.keeper.post.tags
                self.adopt(tags=tuple(dict.fromkeys((*known, *chosen))))
            elif kind == "titles" or end == start:
                self._pane.do(self._retitle(chosen[0]))
            else:
                self._pane.do(self._put_in(text, start, end, chosen[0]))

        self.app.push_screen(ChoicesScreen(job, several=kind == "tags"), answered)

    async def _retitle(self, title: str) -> None:
        if self.keeper is not None:
            await self.keeper.revise("assist")
            self.adopt(title=title)

    async def _put_in(self, before: str, start: int, end: int, new: str) -> None:
        """Keeps the post as it was among its revisions, then changes it."""
        if self.keeper is None:
            return
        await self.keeper.revise("assist")
        if self.editor.text != before:
            self.app.notify("The text was changed meanwhile; nothing was put in.", severity="warning")
            return
        self.editor.change(start, end, new)
        self.editor.focus()

    def _heading(self, start: int, end: int) -> tuple[int, int]:
        """The words of the marked heading, or of the one that the cursor is below; nothing where there is none."""
        from app.writing.outline import outline

        text = self.editor.text
        row = self.editor.cursor_location[0]
        if self.editor.marked[0] != self.editor.marked[1]:
            return start, end
        above = [heading for heading in outline(text) if heading.line <= row]
        if not above:
            return 0, 0
        line = self.editor.document.get_line(above[-1].line)
        begin = self.editor.offset_of((above[-1].line, len(line) - len(line.lstrip("# \t"))))
        return begin, self.editor.offset_of((above[-1].line, len(line.rstrip())))


def _end_of_paragraph(text: str, at: int) -> int:
    end = text.find("\n\n", at)
    return len(text) if end < 0 else end
