"""Dictation as the whole interface has it: one key, whatever text has the keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.containers import Container
from textual.widgets import TextArea
from textual.worker import WorkType

from app.errors import PlaygroundError
from app.privacy.terminal import clean
from app.tui.face import Face

if TYPE_CHECKING:
    from app.playground import Playground
    from app.tui.model_desk import ModelDesk
    from app.voice.dictation import Dictation

    from .dictating import Dictating
    from .meter import Meter

_GROUP = "dictation"


class VoiceDesk:
    """Writes what is said into the text that has the keys; one dictation at a time.

    Args:
        app: whose texts are written into.
        playground: has the model that writes down, and the settings of voice.
        models: fetches that model.

    Attributes:
        make_dictation: a dictation as the settings say; it is given what tells the text before the cursor.
    """

    def __init__(self, app: Face, playground: Playground, models: ModelDesk) -> None:
        self._app, self._playground, self._models = app, playground, models
        self._dictating: Dictating | None = None
        self._runs = False
        self.make_dictation: Callable[[Callable[[], str]], Dictation] = self._as_the_settings_say

    @property
    def runs(self) -> bool:
        """Whether somebody listens, or is about to."""
        return self._runs

    @property
    def offered(self) -> bool:
        """Whether there is a text to be written into, or something to stop."""
        text = self._app.focused
        return self._runs or (len(self._app.screen_stack) == 1 and isinstance(text, TextArea) and not text.read_only)

    def switch(self) -> None:
        """Begins to listen; again, stops once what was said is written."""
        if self._dictating is not None:
            self._dictating.stop()
        elif self._runs:
            self.cancel()
        elif isinstance(self._app.focused, TextArea):
            target = self._app.focused

            async def dictate() -> None:
                await self._dictate(target)

            work: WorkType[None] = dictate
            self._runs = True
            self._app.run_worker(work, group=_GROUP, exclusive=True, exit_on_error=False)

    async def stop(self) -> None:
        """Ends it once what was said is written; one that has not begun yet is thrown away."""
        if self._runs:
            self.switch()

    def cancel(self) -> None:
        """Ends it; what is not written yet is thrown away."""
        self._app.workers.cancel_group(self._app, _GROUP)

    async def _dictate(self, target: TextArea) -> None:
        from .meter import Meter

        meter = Meter(self._app.key_of(target, "app.dictate", "F11"))
        await self._app.query_one("#panes", Container).mount(meter)
        try:
            await self._listen(target, meter)
        except PlaygroundError as error:
            self._app.notify_error(error)
        except Exception as error:  # noqa: BLE001 (the boundary that reports)
            self._app.report_fault(error)
        finally:
            self._dictating, self._runs = None, False
            if meter.is_attached:
                await meter.remove()
            self._app.refresh_bindings()

    async def _listen(self, target: TextArea, meter: Meter) -> None:
        from .dictating import Dictating, fault_of
        from .meter import Speaking

        model = self._playground.settings.voice.model
        if self._models.missing(model):
            meter.said = Speaking(state=f"fetching {clean(model)}, which writes down what is said …")
            await self._models.here(model)
        self._dictating = Dictating(target, self.make_dictation, meter, self._models.sends_to(model))
        stopped = await self._dictating.run()
        error = fault_of(stopped)
        if error is not None:
            self._app.notify_error(error)
        elif stopped is not None and stopped.reason == "quiet":
            self._app.notify("Nothing was said for a while, so nobody listens any more.", timeout=4)

    def _as_the_settings_say(self, before: Callable[[], str]) -> Dictation:
        from app.voice.dictation import Dictation
        from app.voice.microphone import Microphone

        voice = self._playground.settings.voice
        return Dictation(
            Microphone(voice.device),
            self._playground.transcriber(),
            before=before,
            language=voice.language,
            hands_free=voice.mode == "hands-free",
            pause_s=voice.pause_s,
            quiet_s=voice.quiet_s,
        )
