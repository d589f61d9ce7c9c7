"""Asking and answering: one answer at a time, stopped, asked for again, gone on with."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
from textual.content import Content
from textual.worker import Worker, WorkerCancelled, WorkerFailed

from app.chat import Asking, Exchange, GoingOn, Outgoing
from app.errors import PlaygroundError, StreamBrokenError
from app.messages import Message, Node
from app.privacy.terminal import clean
from app.settings import ChatSettings

from .composer import Composer
from .model_in_use import ModelInUse
from .quiet_memory import quiet_memory
from .transcript import Transcript
from .when_here import WhenHere

if TYPE_CHECKING:
    from app.tui.model_desk import ModelDesk

    from .live_answer import LiveAnswer


PREVIEWED = "(what you are going to write)"
"""Stands for the question while none is written."""


class Answers(ModelInUse):
    """A pane that answers questions, one after the other."""

    def __init__(self, desk: ModelDesk, model: str, choices: ChatSettings, *, id: str) -> None:
        super().__init__(desk, model, id=id)
        self._choices = choices
        self._worker: Worker[None] | None = None
        self._live: LiveAnswer | None = None
        self._exchange: Exchange | None = None

    @property
    def answering(self) -> bool:
        """Whether an answer is being waited for."""
        return self._worker is not None

    def say_while_waiting(self, words: str) -> None:
        """In the answer's place, while nothing of it has come."""
        if self._live is not None and self._live.empty:
            self._live.say(words)

    async def ask(self, text: str, parent_id: str | None = None, *, branch: bool = False) -> None:
        """Keeps a question and answers it. With ``branch``, beside what already stands below ``parent_id``."""
        await self.attached()
        message = Message.user(text)
        self.note_beginning(text)
        question = self.conversation.branch(parent_id, message) if branch else self.conversation.append(message)
        await self._answer(question)

    async def _answer(self, node: Node, model: str | None = None) -> None:
        """Answers a question, or goes on with an answer that was cut; by ``model``, where that is not the usual one."""
        from .live_answer import LiveAnswer

        self.app.workers.cancel_group(self, "title")
        self._code_place = 0
        self.show_stage()
        exchange = self._exchange_with(model or self.model)
        self._exchange = exchange
        status = msgspec.structs.replace(self.status, state="loading", speed=0.0, first_token=0.0, note="")
        transcript = self.query_one(Transcript)
        asking: Asking = exchange if node.message.role == "user" else GoingOn(exchange)
        self._live = LiveAnswer(
            self.conversation,
            asking,
            transcript,
            status,
            self._report,
            pacing=self._choices.pacing,
            sends_to=self._desk.sends_to,
        )
        self._worker = self.run_worker(self._run(self._live, node), group="answer", exit_on_error=False)
        self._report(status)
        self.refresh_bindings()

    def _exchange_with(self, model: str) -> Exchange:
        return Exchange(
            self._outgoing_to(model),
            WhenHere(self._desk),
            settle=self.keeper.settle if self.keeper is not None else None,
            cost=self._desk.cost,
        )

    def _outgoing_to(self, model: str) -> Outgoing:
        return Outgoing(
            self.conversation,
            model,
            sampling=self.sampling,
            window=self.status.context,
            left_out=self._left_out,
            summary=self._summary,
            recaller=self._desk.recaller(model, self._remembers),
        )

    def _remembers(self) -> bool:
        return self.keeper is not None and self.keeper.session.remembers

    async def preview(self, text: str) -> None:
        """Shows exactly what would leave this machine if ``text`` was asked now."""
        from app.tui.requests.preview import preview_sheet

        await self.attached()
        request = await self._outgoing_to(self.model).previewed(Message.user(text or PREVIEWED))
        found = await self._desk.preview(request)
        if found is None:
            self.app.notify(f"Nothing: {clean(self.model)} runs on this machine.", title="What would be sent")
        else:
            await self.app.push_screen(preview_sheet(found, self.model))

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
            await self._offer_next()

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
        # A model elsewhere is asked what the person asks it, and nothing of the program's own.
        elsewhere = self._desk.is_remote(self.model)
        if (
            self._choices.titles
            and not elsewhere
            and self.keeper is not None
            and self.keeper.session.titled_by == "nobody"
        ):
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

    async def action_stop(self) -> None:
        """Stops the answer, else the download. A prompt to which nothing came goes back into the composer."""
        composer = self.query_one(Composer)
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

    def _next_model(self, answer: Node) -> str | None:
        """Who can go on with an answer that broke off on its way; ``None`` when it did not, or nobody can."""
        if answer.error is None or answer.error.code != StreamBrokenError.code:
            return None
        return self._desk.router.next_after(answer.model, self.model)

    async def _offer_next(self) -> None:
        """Where an answer broke off: offers to go on from there."""
        answer = self._unfinished()
        view = self.query_one(Transcript).answer_view(answer.id) if answer is not None else None
        if answer is None or view is None or answer.error is None or answer.error.code != StreamBrokenError.code:
            return
        following = self._next_model(answer) or answer.model
        key = self.app.key_of(self, "chat.go_on", "/continue")
        await view.offer(
            Content.assemble((key, "bold $primary"), f" goes on from here with {clean(following)}. What came is kept.")
        )

    async def action_go_on(self) -> None:
        """Goes on with the last answer from where it was cut."""
        answer = self._unfinished()
        if answer is not None and not self.answering:
            transcript = self.query_one(Transcript)
            following = self._next_model(answer)
            # What ended it is over: its view is built again without the error.
            going = msgspec.structs.replace(answer, status="streaming", error=None, way=None)
            self.conversation.save(msgspec.structs.replace(going, model=following or answer.model))
            await transcript.refresh_view(answer.id)
            transcript.to_end()
            await self._answer(answer, following)

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
