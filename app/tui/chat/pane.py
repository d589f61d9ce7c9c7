"""The Chat pane: asks, shows, and lets the person go back and try again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message as TextualMessage
from textual.worker import Worker, WorkerCancelled, WorkerFailed

from app.chat import Asking, Exchange, GoingOn
from app.errors import PlaygroundError
from app.messages import ChatRequest, Delta, Message, Node
from app.settings import ChatSettings
from app.tui.bars.status import Status

from .command_list import CommandList
from .commands import Command, command, offered, parse
from .composer import Composer
from .kept_conversation import KeptConversation
from .quiet_memory import quiet_memory
from .stage import Stage
from .transcript import Transcript

if TYPE_CHECKING:
    from app.tui.model_desk import ModelDesk

    from .live_answer import LiveAnswer


class ChatPane(KeptConversation):
    """A conversation with a model."""

    HELP = """\
Ask a model that runs on this machine. Its answer streams in; **Esc** stops it and keeps what came.
Asking again, and editing an earlier prompt, keep both versions: walk between them with the version keys.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "Stop", key_display="esc", id="chat.stop"),
        Binding("f2,ctrl+l", "pick_model", "Model", id="chat.model"),
        Binding("ctrl+r", "regenerate", "Again", id="chat.regenerate"),
        Binding("f3", "copy_message", "Copy", id="chat.copy"),
        Binding("f4", "copy_code", "Code block", show=False, id="chat.copy_code"),
        Binding("ctrl+n", "new_chat", "New", id="chat.new"),
        Binding("alt+left", "version(-1)", "Earlier version", show=False, id="chat.older_version"),
        Binding("alt+right", "version(1)", "Later version", show=False, id="chat.newer_version"),
        Binding("ctrl+t", "toggle_thinking", "Thoughts", show=False, id="chat.thoughts"),
        Binding("alt+c", "go_on", "Continue", id="chat.go_on"),
        Binding("alt+o", "toggle_original", "Original", show=False, id="chat.original"),
        Binding("alt+e", "edit_message", "Edit the last prompt", show=False, id="chat.edit"),
        Binding("pageup", "scroll(-1)", "Scroll up", show=False, priority=True, id="chat.scroll_up"),
        Binding("pagedown", "scroll(1)", "Scroll down", show=False, priority=True, id="chat.scroll_down"),
        Binding("ctrl+end", "scroll_to_end", "To the end", show=False, priority=True, id="chat.scroll_end"),
    ]

    class StatusChanged(TextualMessage):
        """The figures of the status line changed."""

        def __init__(self, status: Status) -> None:
            super().__init__()
            self.status = status

    class ModelChosen(TextualMessage):
        """Another model answers from now on; the choice is worth remembering."""

        def __init__(self, model: str) -> None:
            super().__init__()
            self.model = model

    def __init__(
        self,
        desk: ModelDesk,
        model: str,
        environ: Mapping[str, str],
        choices: ChatSettings = ChatSettings(),  # noqa: B008 (immutable)
    ) -> None:
        super().__init__(id="chat")
        self._choices = choices
        self._desk = desk
        self._environ = environ
        self._worker: Worker[None] | None = None
        self._live: LiveAnswer | None = None
        self._exchange: Exchange | None = None
        self.model = model
        self.status = Status(model=model)

    def compose(self) -> ComposeResult:
        """Transcript or welcome, and the composer below."""
        yield Transcript(lambda: self.conversation, filtered=self._choices.filter)
        yield Stage(self._welcome_keys())
        yield CommandList()
        yield Composer()

    def on_mount(self) -> None:
        """Shows the empty state; what needs time comes after the first paint."""
        self.show_stage()

    def begin(self) -> None:
        """Called once after the first paint: fetches the model when it is not here, and prepares what comes next."""
        self.query_one(Composer).highlight_markdown()
        self.refresh_status()
        if self._desk.missing(self.model):
            self._fetch()
        else:
            self._warm_up()
        self.set_interval(0.5, self._follow_download)

    def _warm_up(self) -> None:
        """Loads the model before it is asked for, so that the first answer begins at once."""
        self.run_worker(self._load(self.model), group="warm-up", exclusive=True, exit_on_error=False)

    async def _load(self, name: str) -> None:
        if self._desk.state(name) != "idle":
            return
        if not self.answering:
            self.refresh_status(state="loading")
        # What is wrong with the model is said when it is asked: until then nobody waits for it.
        with suppress(PlaygroundError):
            await self._desk.load(name)
        self.refresh_status()

    # What is shown

    @property
    def answering(self) -> bool:
        """Whether an answer is being waited for."""
        return self._worker is not None

    def _welcome_keys(self) -> list[tuple[str, str]]:
        keys = {name: self.app.get_key_display(binding) for name, binding in self.app.keys_by_id(self).items()}
        return [
            ("⏎", "send"),
            (keys.get("chat.model", "f2"), "choose a model"),
            (keys.get("app.help", "f1"), "all keys"),
        ]

    def show_stage(self) -> None:
        """Shows the transcript, or the welcome while it is empty."""
        empty = not self.conversation.path()
        self.query_one(Stage).display = empty
        self.query_one(Transcript).display = not empty

    def refresh_status(self, **changes: object) -> None:
        """Says in the status line what is known of the model now."""
        state = self._desk.state(self.model)
        loaded = self._desk.loaded(self.model)
        known: dict[str, object] = {"model": self.model, "state": state if not self.answering else self.status.state}
        if loaded is not None:
            known |= {"context": loaded.loaded.context, "device": loaded.loaded.device}
        self._report(msgspec.structs.replace(self.status, **(known | changes)))

    def _report(self, status: Status) -> None:
        self.status = status
        self.post_message(self.StatusChanged(status))

    def _follow_download(self) -> None:
        download = self._desk.downloads.of(self.model)
        if download is None or download.state != "running":
            return
        progress = download.progress
        share = f" {progress.done * 100 // progress.total} %" if progress is not None and progress.total else ""
        if self._live is not None and self._live.empty:
            self._live.say(f"fetching {self.model}{share}, then your message is sent")
        if not self.answering:
            self.refresh_status(note=f"fetching{share}")

    def download_changed(self) -> None:
        """A download began or ended: the card and the status follow."""
        self.refresh_status(note="")
        download = self._desk.downloads.of(self.model)
        if download is not None and download.state == "done":
            self._warm_up()
        if not self._desk.missing(self.model):
            download = None
        if download is not None or self.query("DownloadCard"):
            again = self.app.keys_by_id(self).get("chat.regenerate")
            self.query_one(Stage).show_download(download, self.app.get_key_display(again) if again else "^r")
        self.refresh_bindings()

    def _fetch(self) -> None:
        try:
            self._desk.fetch(self.model)
        except PlaygroundError as error:
            self.app.notify_error(error)

    # Asking

    @on(Composer.Sent)
    async def _sent(self, event: Composer.Sent) -> None:
        event.stop()
        parsed = parse(event.text.strip())
        known = command(parsed[0]) if parsed else None
        composer = self.query_one(Composer)
        if parsed is not None and known is None:
            self.app.notify(
                f"There is no command /{parsed[0]}. Two slashes send the line as it is.",
                severity="warning",
                markup=False,
            )
            composer.give_back(event.text)
            return
        if self.answering and known is None:
            self.app.notify("The answer is still coming; esc stops it.", markup=False)
            composer.give_back(event.text)
            return
        composer.prompts.add(event.text)
        if known is not None and parsed is not None:
            await self.run_command(known, parsed[1])
            return
        text = event.text[1:] if event.text.startswith("//") else event.text
        await self.ask(text)

    async def ask(self, text: str, parent_id: str | None = None, *, branch: bool = False) -> None:
        """Keeps a question and answers it. With ``branch``, beside what already stands below ``parent_id``."""
        await self.attached()
        message = Message.user(text)
        self.note_beginning(text)
        question = self.conversation.branch(parent_id, message) if branch else self.conversation.append(message)
        await self._answer(question)

    async def _answer(self, node: Node) -> None:
        """Answers a question, or goes on with an answer that was cut."""
        from .live_answer import LiveAnswer

        self.app.workers.cancel_group(self, "title")
        self._code_place = 0
        self.show_stage()
        keeper = self.keeper
        exchange = Exchange(
            self.conversation,
            _WhenHere(self._desk),
            model=self.model,
            sampling=self.sampling,
            settle=keeper.settle if keeper is not None else None,
            window=self.status.context,
            left_out=self._left_out,
            summary=self._summary,
        )
        self._exchange = exchange
        status = msgspec.structs.replace(self.status, state="loading", speed=0.0, first_token=0.0, note="")
        transcript = self.query_one(Transcript)
        asking: Asking = exchange if node.message.role == "user" else GoingOn(exchange)
        self._live = LiveAnswer(
            self.conversation, asking, transcript, status, self._report, pacing=self._choices.pacing
        )
        self._worker = self.run_worker(self._run(self._live, node), group="answer", exit_on_error=False)
        self._report(status)
        self.refresh_bindings()

    async def _run(self, live: LiveAnswer, node: Node) -> None:
        try:
            with quiet_memory():
                await live.run(node.id)
        except asyncio.CancelledError:
            # Stopped by the person: not an error, and the rest below must still happen.
            pass
        except Exception as error:  # noqa: BLE001 (the boundary that reports)
            self.app.report_fault(error)
        finally:
            self._worker = self._live = None
            await live.settle()
            self._after_answer()

    def _after_answer(self) -> None:
        exchange = self._exchange
        note = ""
        if exchange is not None and exchange.left_out:
            if not self._left_out:
                self.app.notify(
                    "The conversation is longer than the model's context window. Its oldest messages are kept, but no"
                    " longer sent.",
                    title="Some messages are left out",
                    markup=False,
                )
            self._left_out = exchange.left_out
            note = f"{len(self._left_out)} messages left out"
            if self._choices.summarise:
                note = f"{len(self._left_out)} messages summed up"
                self.run_worker(
                    self.roll_summary(self._desk.router, self.model), group="title", exclusive=True, exit_on_error=False
                )
        self.refresh_status(note=note)
        self.refresh_bindings()
        self.post_message(self.SessionChanged())
        if self._choices.titles and self.keeper is not None and self.keeper.session.titled_by == "nobody":
            self.run_worker(self._find_title(), group="title", exclusive=True, exit_on_error=False)

    async def _find_title(self) -> None:
        from app.chat.titles import suggest

        keeper, path = self.keeper, self.conversation.path()
        if keeper is None or len(path) < 2 or path[1].status != "complete":
            return
        # A title is a nicety: that a model cannot give one now is no news to anybody.
        with suppress(PlaygroundError):
            title = await suggest(self._desk.router, path, self.model)
            if title and keeper is self.keeper:
                self.set_title(title, by_person=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing are not offered."""
        if action == "stop":
            return self.answering or self._desk.downloading(self.model) or self.query_one(Composer).offering
        if action == "go_on":
            return not self.answering and self._unfinished() is not None
        if action in ("regenerate", "copy_message"):
            return bool(len(self.conversation)) or (action == "regenerate" and self._desk.missing(self.model))
        return True

    # Actions

    async def action_stop(self) -> None:
        """Stops the answer, else the download. A prompt to which nothing came goes back into the composer."""
        composer = self.query_one(Composer)
        if composer.offering:
            self._offer(())
            return
        worker, live = self._worker, self._live
        if worker is None or live is None:
            self._desk.downloads.cancel(self.model)
            return
        empty, node = live.empty, live.node
        worker.cancel()
        with suppress(WorkerFailed, WorkerCancelled):
            await worker.wait()
        if (
            empty
            and node is not None
            and node.id in self.conversation
            and len(self.conversation.siblings(node.id)) == 1
        ):
            await self._take_back(node, composer)

    async def _take_back(self, answer: Node, composer: Composer) -> None:
        question_id = answer.parent_id
        self.conversation.forget(answer.id)
        if question_id is not None and not composer.text:
            question = self.conversation.node(question_id)
            self.conversation.forget(question_id)
            composer.put(question.message.text)
        if not len(self.conversation) and self.keeper is not None:
            await self.keeper.discard()
        self.show_stage()
        await self.query_one(Transcript).show()

    async def action_regenerate(self) -> None:
        """Asks for another version of the chosen answer, or of the last; fetches the model when that had failed."""
        if self.answering:
            return
        if self._desk.missing(self.model) and not self._desk.downloading(self.model):
            self._fetch()
        question = self.question_of_choice()
        if question is not None:
            self.query_one(Transcript).to_end()
            await self._answer(question)

    def _unfinished(self) -> Node | None:
        """The last answer, when it was cut and there is something to go on from."""
        path = self.conversation.path()
        last = path[-1] if path else None
        if last is None or last.message.role != "assistant" or not last.message.text:
            return None
        return last if last.status in ("cut", "failed") or last.finish == "length" else None

    async def action_go_on(self) -> None:
        """Goes on with the last answer from where it was cut."""
        answer = self._unfinished()
        if answer is not None and not self.answering:
            transcript = self.query_one(Transcript)
            # What ended it is over: its view is built again without the error.
            self.conversation.save(msgspec.structs.replace(answer, error=None))
            await transcript.refresh_view(answer.id)
            transcript.to_end()
            await self._answer(answer)

    async def action_toggle_original(self) -> None:
        """Shows the chosen answer whole, or again without what the content filter leaves out."""
        if not await self.query_one(Transcript).toggle_original():
            self.app.notify("Nothing is left out of this answer.", timeout=2)

    def session_shown(self) -> None:
        """The model and the figures of the conversation that is shown now."""
        keeper = self.keeper
        model = keeper.session.model if keeper is not None else ""
        if model and model != self.model and self._desk.known(model):
            self.model = model
            if not self._desk.missing(model):
                self._warm_up()
        used = next((node.usage.total_tokens for node in reversed(self.conversation.path()) if node.usage), 0)
        self.refresh_status(used=used, speed=0.0, first_token=0.0, note="")

    async def detach(self) -> None:
        """The vault is being locked: an answer is stopped first, and what came of it kept."""
        if self.answering:
            await self.action_stop()
        await super().detach()
        self.refresh_status(used=0, speed=0.0, first_token=0.0, note="")

    async def action_new_chat(self) -> None:
        """Begins an empty conversation."""
        if self.answering:
            await self.action_stop()
        await self.start_new()
        self.refresh_status(used=0, speed=0.0, first_token=0.0)
        self.action_focus_composer()
        self.refresh_bindings()

    def action_pick_model(self) -> None:
        """Opens the list of models."""
        from app.tui.dialogs.model_picker import ModelPicker

        def chosen(name: str | None) -> None:
            if name:
                self.use_model(name)

        self.app.push_screen(ModelPicker(self._desk, self.model), chosen)

    def use_model(self, name: str) -> None:
        """Answers with another model from now on, and fetches it when it is not here."""
        try:
            self._desk.entry(name)
        except PlaygroundError as error:
            self.app.notify_error(error)
            return
        self.model = name
        if self.keeper is not None:
            self.keeper.configure(model=name)
        self.post_message(self.ModelChosen(name))
        self.refresh_status(context=0, used=0, speed=0.0, first_token=0.0, device="", note="")
        if self._desk.missing(name):
            self._fetch()
        else:
            self._warm_up()
        self.download_changed()

    def action_scroll(self, direction: int) -> None:
        """Scrolls the transcript by a page while the composer keeps the focus."""
        transcript = self.query_one(Transcript)
        if direction < 0:
            transcript.scroll_page_up(animate=False)
        elif not transcript.following:
            # There is nothing below the end that is being followed, wherever it is going to be when this is painted.
            transcript.scroll_page_down(animate=False)

    def action_scroll_to_end(self) -> None:
        """Shows the end, and follows it."""
        self.query_one(Transcript).to_end()

    def action_edit_in_editor(self) -> None:
        """Opens the prompt in the person's editor."""
        self._open_editor()

    # The composer's wishes

    @on(Composer.EditorWanted)
    def _open_editor(self) -> None:
        from textual.app import SuspendNotSupported

        from .editor import edit

        composer = self.query_one(Composer)
        try:
            with self.app.suspend():
                text = edit(composer.prompt, self._environ)
        except PlaygroundError as error:
            self.app.notify_error(error)
        except SuspendNotSupported:
            self.app.notify("The editor cannot be opened in this kind of terminal.", severity="warning")
        else:
            if text is not None:
                composer.put(text)

    @on(Composer.Changed)
    def _text_changed(self) -> None:
        composer = self.query_one(Composer)
        line = composer.text if composer.document.line_count == 1 and len(composer.text) < 40 else ""
        self._offer(offered(line))

    def _offer(self, commands: tuple[Command, ...]) -> None:
        composer = self.query_one(Composer)
        self.query_one(CommandList).offer(commands)
        if composer.offering != bool(commands):
            composer.offering = bool(commands)
            self.refresh_bindings()

    @on(Composer.CompletionMoved)
    async def _completion_moved(self, event: Composer.CompletionMoved) -> None:
        offered = self.query_one(CommandList)
        if event.step:
            offered.move(event.step)
        elif offered.highlighted is not None:
            await self._take(offered.highlighted)

    @on(CommandList.Taken)
    async def _command_clicked(self, event: CommandList.Taken) -> None:
        await self._take(event.command)

    async def _take(self, taken: Command) -> None:
        composer = self.query_one(Composer)
        self._offer(())
        if taken.argument == "NAME":
            composer.put(f"/{taken.name} ")
        else:
            composer.put("")
            await self.run_command(taken, "")

    async def run_command(self, known: Command, argument: str) -> None:
        """Does what a command says."""
        if known.name in ("set", "system", "title"):
            await self.attached()  # these belong to the session
        if known.name == "model" and argument:
            self.use_model(argument)
        elif known.name == "system" and argument:
            self.set_system(argument)
        elif known.name == "title" and argument:
            self.set_title(argument)
        elif known.name == "set" and argument:
            self.set_sampling(argument)
        elif known.name == "theme" and argument:
            self.app.use_theme(argument)
        elif known.name == "back" and argument.isdecimal():
            await self.action_roll_back(int(argument))
        else:
            await self.app.run_action(known.action, self)


class _WhenHere:
    """Waits for a model that is still being fetched, then asks the router."""

    def __init__(self, desk: ModelDesk) -> None:
        self._desk = desk

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        await self._desk.here(request.model)
        deltas = self._desk.router.stream(request)
        try:
            async for delta in deltas:
                yield delta
        finally:
            await deltas.aclose()
