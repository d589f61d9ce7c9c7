"""Dictation as the whole interface has it: one key, whatever text has the keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widgets import TextArea
from textual.worker import WorkType

from app.errors import PlaygroundError
from app.privacy.terminal import clean
from app.tui.guarded import GuardedFace

if TYPE_CHECKING:
    from app.tui.model_desk import ModelDesk
    from app.voice.dictation import Dictation

    from .dictating import Dictating
    from .meter import Meter


class SpeakingFace(GuardedFace):
    """Writes what is said into the text that has the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f11,alt+d", "dictate", "Dictate", show=False, priority=True, id="app.dictate"),
    ]

    _dictating: Dictating | None = None
    _dictation_runs = False

    @property
    def models(self) -> ModelDesk:
        """What is known of the models; it fetches the one that writes down."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """It needs a text to be written into, or something to stop."""
        if action == "dictate":
            return self._dictation_runs or (
                len(self.screen_stack) == 1 and isinstance(self.focused, TextArea) and not self.focused.read_only
            )
        return True

    def action_dictate(self) -> None:
        """Begins to listen; again, stops once what was said is written."""
        if self._dictating is not None:
            self._dictating.stop()
        elif self._dictation_runs:
            self.workers.cancel_group(self, "dictation")
        elif isinstance(self.focused, TextArea):
            target = self.focused

            async def dictate() -> None:
                await self._dictate(target)

            work: WorkType[None] = dictate
            self._dictation_runs = True
            self.run_worker(work, group="dictation", exclusive=True, exit_on_error=False)

    def stop_listening(self) -> None:
        """Throws away what is not written yet."""
        self.workers.cancel_group(self, "dictation")

    async def _dictate(self, target: TextArea) -> None:
        from .meter import Meter

        meter = Meter(self.key_of(target, "app.dictate", "F11"))
        await self.query_one("#panes", Container).mount(meter)
        try:
            await self._listen(target, meter)
        except PlaygroundError as error:
            self.notify_error(error)
        except Exception as error:  # noqa: BLE001 (the boundary that reports)
            self.report_fault(error)
        finally:
            self._dictating, self._dictation_runs = None, False
            if meter.is_attached:
                await meter.remove()
            self.refresh_bindings()

    async def _listen(self, target: TextArea, meter: Meter) -> None:
        from .dictating import Dictating, fault_of
        from .meter import Speaking

        model = self._playground.settings.voice.model
        if self.models.missing(model):
            meter.said = Speaking(state=f"fetching {clean(model)}, which writes down what is said …")
            await self.models.here(model)
        self._dictating = Dictating(target, self.make_dictation, meter, self.models.sends_to(model))
        stopped = await self._dictating.run()
        error = fault_of(stopped)
        if error is not None:
            self.notify_error(error)
        elif stopped is not None and stopped.reason == "quiet":
            self.notify("Nothing was said for a while, so nobody listens any more.", timeout=4)

    def make_dictation(self, before: Callable[[], str]) -> Dictation:
        """A dictation as the settings say; ``before`` gives the text before the cursor."""
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
