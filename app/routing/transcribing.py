"""A recording on its way to a remote model that transcribes: what must hold before any of it is sent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from app.backends.endpoint import Endpoint
from app.backends.openai.transcribing import Transcript, form, transcript
from app.engine.speech import TranscribeOptions
from app.errors import InvalidRequestError, RedactionError

from .audit.watched import Watched
from .targets import RemoteTarget

Noting = Callable[[str, str], AbstractContextManager[Watched]]
"""Notes a request from its beginning to its end: the model, and the kind of request."""

_KINDS = ("openai", "openai-compatible")


class RemoteTranscription:
    """Sends speech to a model elsewhere, with the tries, the places and the notes that a chat would have.

    Args:
        target: the model.
        noting: takes the note of each request.
        redacts: whether personal data is replaced, unless an endpoint says otherwise.

    Raises:
        InvalidRequestError: when the catalogue has the model for something else.
    """

    def __init__(self, target: RemoteTarget, noting: Noting, *, redacts: bool) -> None:
        if target.model.role != "transcribe":
            raise InvalidRequestError(
                f"{target.name} is for {target.model.role}, not for transcription.",
                f'If it writes down speech, add `role = "transcribe"` to [remote."{target.name}"].',
            )
        self._target, self._noting, self._redacts = target, noting, redacts

    @property
    def places(self) -> str:
        """The endpoints that may be asked, separated by commas."""
        return ", ".join(dict.fromkeys(replica.place.endpoint.name for replica in self._target.replicas.all))

    def require(self) -> None:
        """Whether speech may go there; asked before anything is recorded, and again before anything is sent.

        Raises:
            LocalOnlyError: nothing may leave this machine.
            RedactionError: what leaves is searched for personal data, which sound cannot be.
            InvalidRequestError: the endpoint does not speak OpenAI's protocol.
        """
        self._target.require_permitted()
        for replica in self._target.replicas.all:
            self._require(replica.place.endpoint)

    def _require(self, endpoint: Endpoint) -> None:
        name = self._target.name
        if endpoint.kind not in _KINDS:
            raise InvalidRequestError(
                f"{name} is at an endpoint of kind {endpoint.kind!r}, which transcribes nothing; expected 'openai' or"
                " 'openai-compatible'.",
                "Choose another model in voice.model.",
            )
        if self._redacts and endpoint.redact:
            raise RedactionError(
                f"Speech cannot be searched for personal data, so none is sent to {endpoint.name}.",
                f"To allow it, write `redact = false` into [endpoints.{endpoint.name}]; then nothing that goes there is"
                " searched.",
            )
        if any(rule.on != "response" for rule in endpoint.transforms):
            raise RedactionError(
                f"The rules that change what goes to {endpoint.name} cannot change speech, so none is sent there.",
                f"Describe an endpoint without `transforms` for {name}.",
            )

    async def transcribe(self, samples: bytes, options: TranscribeOptions, *, timed: bool = False) -> Transcript:
        """What is said in int16 samples, 16 kHz, one channel, of ten minutes at most.

        Args:
            samples: all of it is sent, in one request.
            options: ``beams``, ``words`` and ``utterance`` are left aside.
            timed: whether to ask when each sentence was said.

        Raises:
            PlaygroundError: it may not be sent, or the model did not answer.
        """
        self.require()
        with self._noting(self._target.name, "transcribe") as watched:
            endpoint, body = await self._target.form(lambda model: form(samples, model, options, timed=timed))
            watched.model, watched.backend = self._target.name, endpoint
            found = transcript(body, endpoint)
            watched.outcome = "finished"
            return found
