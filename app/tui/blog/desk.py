"""The desk: one post, and everything that can be done with it while it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, TextArea

from app.tui.face import Face
from app.tui.surroundings import PaneSurroundings

from .assistance import Assistance
from .editor import PostEditor
from .figures import Figures
from .find_bar import FindBar
from .finder import Finder
from .head import Head
from .helping_model import HelpingModel
from .history import History
from .kept_post import KeptPost
from .live_preview import LivePreview
from .outline_dialog import ask_for_heading
from .pause import Pause
from .preview_place import PreviewPlace
from .publisher import Publisher
from .sheet import Sheet
from .state_line import StateLine
from .suggestions import Suggestions
from .title_field import TitleField

if TYPE_CHECKING:
    from app.errors import PlaygroundError
    from app.settings.writing import WritingSettings
    from app.tui.model_desk import ModelDesk
    from app.tui.pane import Pane
    from app.vault.posts.records import Post
    from app.vault.vault import Vault
    from app.writing.keeping import PostKeeper

_LOOK_EVERY = 0.25


class WritingDesk(Vertical):
    """Writes one post."""

    DEFAULT_CSS = """
    WritingDesk { height: 1fr; width: 1fr; display: none; }
    WritingDesk > #post-body { height: 1fr; width: 1fr; align-horizontal: center; }
    WritingDesk LivePreview { display: none; }
    WritingDesk.-preview LivePreview { display: block; }
    WritingDesk.-preview.-narrow PostEditor { display: none; }
    WritingDesk PostEditor { max-width: 96; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f3,alt+a", "assist", "Assist", id="post.assist"),
        Binding("f2", "pick_model", "Model", show=False, id="post.model"),
        Binding("ctrl+f", "find", "Find", id="post.find"),
        Binding("ctrl+o", "outline", "Outline", id="post.outline"),
        Binding("ctrl+t", "particulars", "Title and tags", id="post.particulars"),
        Binding("ctrl+r", "revisions", "Revisions", id="post.revisions"),
        Binding("alt+e", "export", "Export", id="post.export"),
        Binding("ctrl+g", "edit", "Editor", show=False, id="post.editor"),
        Binding("ctrl+s", "save", "Keep a revision", show=False, id="post.save"),
        Binding("escape", "leave", "Posts", key_display="esc", id="post.leave"),
        Binding("f4", "preview", "Preview", id="post.preview"),
        Binding("ctrl+n", "new", "New", show=False, id="post.new"),
    ]

    app = getters.app(Face)

    class Left(Message):
        """The person wants to see all posts."""

    class NewWanted(Message):
        """A post shall be begun."""

    def __init__(
        self,
        pane: Pane,
        vault: Vault,
        models: ModelDesk,
        model: str,
        choices: WritingSettings,
        environ: Mapping[str, str],
    ) -> None:
        super().__init__(id="post-desk")
        self._environ = environ
        self._around = around = PaneSurroundings(pane, self)
        self.editor = editor = PostEditor()
        """Where the text is."""
        self._title, self._bar, self._line = TitleField(self.to_text), FindBar(), StateLine()
        self._preview = preview = LivePreview()
        sheet = Sheet(self._title, editor)
        self.kept = kept = KeptPost(vault.posts, sheet, told=self._told, shown=self._show, cleared=self._clear)
        """The post that is on the desk."""
        self._figures = figures = Figures(kept, editor, preview, self._line, Pause(self.set_timer))
        self._place = PreviewPlace(self, editor, preview, figures)
        self.finder = Finder(kept, editor, self._bar, around, Pause(self.set_timer), self.call_after_refresh)
        """Finds and replaces in the text."""
        self._model = helper = HelpingModel(models, choices.model, model, around)
        self._assistance = Assistance(kept, editor, helper, around)
        self._suggestions = Suggestions(
            kept, editor, helper, around, Pause(self.set_timer), wanted=choices.suggestions, note=figures.note
        )
        self._history = History(kept, vault.posts, editor, around)
        self.head = Head(kept, vault.posts, around, pane.shown)
        """Title, tags and the rest, of any post."""
        self.publisher = Publisher(self.head, around, choices.export)
        """Makes files of any post."""

    def compose(self) -> ComposeResult:
        """Title, text beside its preview, what is looked for, figures."""
        yield self._title
        with Horizontal(id="post-body"):
            yield self.editor
            yield self._preview
        yield self._bar
        yield self._line

    def on_mount(self) -> None:
        """Looks now and then whether everything is kept."""
        self.set_interval(_LOOK_EVERY, self._figures.show_kept)

    async def on_unmount(self) -> None:
        """The interface closes: keeps what is left."""
        await self.kept.end()

    # The post

    @property
    def keeper(self) -> PostKeeper | None:
        """Writes the post; ``None`` while there is none on the desk."""
        return self.kept.keeper

    @property
    def post(self) -> Post | None:
        """The post as it is now; ``None`` while there is none on the desk."""
        return self.kept.post

    def _show(self) -> None:
        self._figures.catch_up()

    def _clear(self) -> None:
        for part in (self._suggestions, self._figures, self.finder):
            part.forget()

    def _told(self, error: PlaygroundError | None) -> None:
        if error is None:
            self._around.say("Everything is kept again.")
        else:
            self._around.say_error(error)

    # Following the keys

    @on(TitleField.Changed)
    def _title_typed(self, event: Input.Changed) -> None:
        event.stop()
        self.kept.take_title(event.value)

    @on(TextArea.Changed)
    def _text_typed(self, event: TextArea.Changed) -> None:
        event.stop()
        if self.keeper is not None:
            self.kept.take_text()
            self.finder.typed()
            self._suggestions.typed()
            self._figures.typed()

    @on(TextArea.SelectionChanged)
    def _moved(self, event: TextArea.SelectionChanged) -> None:
        event.stop()
        self._figures.moved()

    @on(PostEditor.Touched)
    def _touched(self, event: PostEditor.Touched) -> None:
        event.stop()
        self._suggestions.hush()

    @on(FindBar.Changed)
    def _looked_for(self) -> None:
        self.finder.look()

    @on(FindBar.Stepped)
    def _stepped(self, event: FindBar.Stepped) -> None:
        self.finder.step(event.step)

    @on(FindBar.ReplaceWanted)
    def _replace_wanted(self, event: FindBar.ReplaceWanted) -> None:
        self.finder.replace(everywhere=event.everywhere)

    @on(FindBar.Left)
    def _bar_left(self) -> None:
        self.finder.close()

    # Who has the keys

    def take_focus(self) -> None:
        """Puts the keys to the text, or to the title while both are empty."""
        empty = self.post is not None and not self.post.title and not self.post.body
        if empty:
            self._title.focus()
        else:
            self._place.take_focus()

    @on(LivePreview.TextWanted)
    def to_text(self) -> None:
        """Gives the keys to the text, which is seen then; at once."""
        if self._place.alone:
            self._place.turn()
        self.screen.set_focus(self.editor)

    @on(PostEditor.TitleWanted)
    def _to_title(self) -> None:
        self._title.focus()

    def on_resize(self) -> None:
        """Shows the preview where there is room for it."""
        self._place.fit()

    # What can be done

    def action_preview(self) -> None:
        """Shows or hides the preview; in a narrow terminal it takes the place of the text."""
        self._place.turn()

    def action_leave(self) -> None:
        """Goes back to the list."""
        self.post_message(self.Left())

    def action_new(self) -> None:
        """Begins another post."""
        self.post_message(self.NewWanted())

    def action_assist(self) -> None:
        """Asks what a model shall do with the marked text, or with all of it."""
        self._assistance.ask()

    def action_pick_model(self) -> None:
        """Asks who shall help."""
        self._model.pick()

    def action_find(self) -> None:
        """Opens the bar, with the marked words in it."""
        self.finder.open()

    def action_outline(self) -> None:
        """Asks to which heading to go."""
        ask_for_heading(self.editor, self._around)

    def action_particulars(self) -> None:
        """Asks for title, slug, tags, date and status."""
        if self.post is not None:
            self.head.ask(self.post)

    def action_export(self) -> None:
        """Asks for a form and a folder, and writes the post there."""
        if self.post is not None:
            self.publisher.ask(self.post)

    def action_save(self) -> None:
        """Keeps the post as it is now among its revisions; that it is kept at all needs no key."""
        self._around.do(self._history.add())

    def action_revisions(self) -> None:
        """Shows how the post was before."""
        self._around.do(self._history.show())

    def action_edit(self) -> None:
        """Opens the text in the person's own editor."""
        if self.keeper is not None:
            self._around.do(self._edit_outside(), "editor")

    async def _edit_outside(self) -> None:
        from app.tui.outside_editor import edit_outside

        keeper = self.keeper
        text = await edit_outside(self.app, self.editor.text, self._environ)
        if text is not None and text != self.editor.text and keeper is not None and keeper is self.keeper:
            await keeper.revise("editor")
            self.editor.change(0, len(self.editor.text), text)
