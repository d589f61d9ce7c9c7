"""What is done with the turns of a conversation: asked for again, gone on with, stopped; and another one begun."""

from __future__ import annotations

from .answers import Answers
from .chosen_message import ChosenMessage
from .model_in_use import ModelInUse
from .open_conversation import OpenConversation
from .rewriting import Rewriting
from .transcript import Transcript
from .unfinished import UnfinishedAnswer


class Turns:
    """One turn at a time: nothing is begun while an answer is being waited for."""

    def __init__(
        self,
        current: OpenConversation,
        model: ModelInUse,
        answers: Answers,
        unfinished: UnfinishedAnswer,
        rewriting: Rewriting,
        chosen: ChosenMessage,
        transcript: Transcript,
    ) -> None:
        self._current = current
        self._model = model
        self._answers = answers
        self._unfinished = unfinished
        self._rewriting = rewriting
        self._chosen = chosen
        self._transcript = transcript

    @property
    def can_go_on(self) -> bool:
        """Whether the last answer was cut and there is something to go on from."""
        return not self._current.answering and self._unfinished.answer is not None

    @property
    def can_ask_again(self) -> bool:
        """Whether there is an answer to ask for again, or a model to fetch."""
        return not self._current.answering and (len(self._current.conversation) > 0 or self._model.missing)

    def edit(self) -> None:
        """Takes the chosen prompt into the composer; sending it makes a new version beside the old one."""
        question = self._chosen.question
        if question is not None and not self._current.answering:
            self._rewriting.begin(question)

    async def again(self) -> None:
        """Asks for another version of the chosen answer, or of the last; fetches the model when that had failed."""
        if self._current.answering:
            return
        self._model.fetch_again()
        question = self._chosen.question
        if question is not None:
            self._transcript.to_end()
            await self._answers.answer(question)

    async def go_on(self) -> None:
        """Goes on with the last answer from where it was cut."""
        answer = self._unfinished.answer
        if answer is not None and not self._current.answering:
            await self._answers.answer(answer, await self._unfinished.reopen(answer))

    async def stop(self) -> None:
        """Stops the answer, else the download. A prompt to which nothing came goes back into the composer."""
        if not self._current.answering:
            self._model.stop_fetching()
        elif (empty := await self._answers.stop()) is not None:
            await self._rewriting.take_back(empty)

    async def start_new(self) -> None:
        """Begins an empty conversation."""
        if self._current.answering:
            await self.stop()
        await self._current.start_new()
        self._model.refresh(used=0, speed=0.0, first_token=0.0)
