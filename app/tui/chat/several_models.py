"""The question of the conversation, asked of several models: ``/compare`` and ``/debate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .composer import Composer
from .model_in_use import ModelInUse
from .open_conversation import OpenConversation
from .surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.lab.debate import Debate
    from app.tui.lab.question_dialog import Asked
    from app.tui.model_desk import ModelDesk


class SeveralModels:
    """Asks what and whom, shows the answers, and goes on with one of them, or with the transcript."""

    def __init__(
        self,
        current: OpenConversation,
        composer: Composer,
        model: ModelInUse,
        desk: ModelDesk,
        around: Surroundings,
    ) -> None:
        self._current = current
        self._composer = composer
        self._model = model
        self._desk = desk
        self._around = around

    def compare(self, question: str = "") -> None:
        """Asks several models the same."""
        self._ask("Compare models", question, self._compare)

    def debate(self, question: str = "") -> None:
        """Lets several models argue."""
        self._ask("Let models debate", question, self._debate)

    def _ask(self, title: str, question: str, go: Callable[[Asked], None]) -> None:
        from app.tui.lab.question_dialog import QuestionDialog

        wanted = " ".join((question or self._composer.prompt or self._current.last_asked).split())

        def asked(wish: Asked | None) -> None:
            if wish is not None:
                go(wish)

        self._around.app.push_screen(QuestionDialog(self._desk, title, wanted, (self._model.name,)), asked)

    def _compare(self, asked: Asked) -> None:
        from app.tui.lab.compare_screen import CompareScreen

        def chosen(model: str | None) -> None:
            if model is not None:
                self._model.use(model)

        screen = CompareScreen(
            self._desk, asked.question, asked.models, self._current.conversation.system, self._current.sampling
        )
        self._around.app.push_screen(screen, chosen)

    def _debate(self, asked: Asked) -> None:
        from app.lab.debate import Debate
        from app.tui.lab.debate_screen import DebateScreen

        debate = Debate(self._desk.router, asked.question, asked.models, asked.models[0], cost=self._desk.cost)

        def left(session_id: str | None) -> None:
            if session_id is not None:
                self._around.do(self._opened(session_id), "debate")

        self._around.app.push_screen(DebateScreen(debate, self._keep), left)

    async def _opened(self, session_id: str) -> None:
        await self._current.resume(session_id)

    async def _keep(self, debate: Debate) -> str | None:
        from app.lab.transcript import transcript

        from .news import SessionChanged

        keeping = self._current.keeping
        if keeping is None:
            return None
        kept = await keeping.vault.sessions.add(transcript(debate))
        self._around.post_message(SessionChanged())
        return kept.id
