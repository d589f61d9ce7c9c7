"""Asking and answering: one answer at a time, stopped, asked for again, gone on with."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
from textual.worker import Worker, WorkerCancelled, WorkerFailed

from app.chat import Asking, Exchange, GoingOn, Outgoing
from app.messages import Message, Node
from app.privacy.terminal import clean
from app.settings import ChatSettings

from .errands import Errands
from .model_in_use import ModelInUse
from .news import SessionChanged
from .open_conversation import OpenConversation
from .quiet_memory import quiet_memory
from .scene import Scene
from .surroundings import Surroundings
from .unfinished import UnfinishedAnswer
from .when_here import WhenHere

if TYPE_CHECKING:
    from app.tui.model_desk import ModelDesk

    from .live_answer import LiveAnswer


PREVIEWED = "(what you are going to write)"
"""Stands for the question while none is written."""


class Answers:
    """Answers to the open conversation, one after the other."""

    def __init__(
        self,
        desk: ModelDesk,
        model: ModelInUse,
        current: OpenConversation,
        scene: Scene,
        unfinished: UnfinishedAnswer,
        choices: ChatSettings,
        around: Surroundings,
    ) -> None:
        self._desk = desk
        self._model = model
        self._current = current
        self._scene = scene
        self._unfinished = unfinished
        self._choices = choices
        self._around = around
        self._errands = Errands(current, desk.router, around)
        self._under_way: tuple[Worker[None], LiveAnswer] | None = None

    async def ask(self, asked: str | Message, beside: Node | None = None) -> None:
        """Keeps a question and answers it; ``beside`` an earlier prompt, as another version of that."""
        await self._current.attached()
        message = _message(asked)
        self._errands.note_beginning(message.text)
        conversation = self._current.conversation
        await self.answer(
            conversation.append(message) if beside is None else conversation.branch(beside.parent_id, message)
        )

    async def answer(self, node: Node, model: str | None = None) -> None:
        """Answers a question, or goes on with an answer that was cut; by ``model``, where that is not the usual one."""
        from .live_answer import LiveAnswer

        self._errands.call_off()
        self._scene.arrange()
        exchange = self._exchange_with(model or self._model.name)
        status = msgspec.structs.replace(self._model.status, state="loading", speed=0.0, first_token=0.0, note="")
        asking: Asking = exchange if node.message.role == "user" else GoingOn(exchange)
        live = LiveAnswer(
            self._current.conversation,
            asking,
            self._scene.transcript,
            status,
            self._model.report,
            pacing=self._choices.pacing,
            sends_to=self._desk.sends_to,
        )
        worker = self._around.run_worker(self._run(live, exchange, node), group="answer", exit_on_error=False)
        self._under_way = worker, live
        self._current.answering = True
        self._model.report(status)
        self._around.refresh_bindings()

    def say_while_waiting(self, words: str) -> None:
        """Says in the answer's place why it does not begin, while nothing of it has come."""
        if self._under_way is not None and self._under_way[1].empty:
            self._under_way[1].say(words)

    async def stop(self) -> Node | None:
        """Stops the answer, and keeps what came of it; gives it back when that is nothing, and it has no versions."""
        if self._under_way is None:
            return None
        worker, live = self._under_way
        empty, node = live.empty, live.node
        worker.cancel()
        with suppress(WorkerFailed, WorkerCancelled):
            await worker.wait()
        conversation = self._current.conversation
        if empty and node is not None and node.id in conversation and len(conversation.siblings(node.id)) == 1:
            return node
        return None

    async def preview(self, asked: str | Message) -> None:
        """Shows exactly what would leave this machine if this was asked now; of no words, with some in their place."""
        from app.tui.requests.preview import preview_sheet

        await self._current.attached()
        model, app = self._model.name, self._around.app
        request = await self._outgoing_to(model).previewed(_message(asked or PREVIEWED))
        found = await self._desk.preview(request)
        if found is None:
            app.notify(f"Nothing: {clean(model)} runs on this machine.", title="What would be sent")
        else:
            await app.push_screen(preview_sheet(found, model))

    def _exchange_with(self, model: str) -> Exchange:
        keeper = self._current.keeper
        return Exchange(
            self._outgoing_to(model),
            WhenHere(self._desk),
            settle=keeper.settle if keeper is not None else None,
            cost=self._desk.cost,
        )

    def _outgoing_to(self, model: str) -> Outgoing:
        return Outgoing(
            self._current.conversation,
            model,
            sampling=self._current.sampling,
            window=self._model.status.context,
            left_out=self._current.left_out,
            summary=self._current.summary,
            recaller=self._desk.recaller(model, lambda: self._current.remembers),
            sees=self._desk.router.sees(model) is not False,
        )

    async def _run(self, live: LiveAnswer, exchange: Exchange, node: Node) -> None:
        try:
            with quiet_memory():
                await live.run(node.id)
        except asyncio.CancelledError:
            # Stopped by the person: not an error, and the rest below must still happen.
            pass
        except Exception as error:  # noqa: BLE001 (the boundary that reports)
            self._around.app.report_fault(error)
        finally:
            self._under_way = None
            self._current.answering = False
            await live.settle()
            self._after(exchange)
            await self._unfinished.offer()

    def _after(self, exchange: Exchange) -> None:
        note = self._left_out(exchange.left_out) if exchange.left_out else ""
        self._model.refresh(note=note)
        self._around.refresh_bindings()
        self._around.post_message(SessionChanged())
        # A model elsewhere is asked what the person asks it, and nothing of the program's own.
        if self._choices.titles and not self._model.is_remote:
            self._errands.find_title(self._model.name)

    def _left_out(self, left_out: frozenset[str]) -> str:
        """Not all messages fit into the context window: says so once, and gives the words for the status line."""
        if not self._current.left_out:
            self._around.app.notify(
                "The conversation is longer than the model's context window. Its oldest messages are kept, but no"
                " longer sent.",
                title="Some messages are left out",
                markup=False,
            )
        self._current.left_out = left_out
        if not self._choices.summarise:
            return f"{len(left_out)} messages left out"
        self._errands.sum_up(self._model.name)
        return f"{len(left_out)} messages summed up"


def _message(asked: str | Message) -> Message:
    return Message.user(asked) if isinstance(asked, str) else asked
